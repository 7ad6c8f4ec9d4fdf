//! The trial of the models: each is judged on the rows held back, and only one that beats the best naive model there is used.

use foreshard_model::forecast::Judged;

use super::conditional::{Conditional, NAME as CONDITIONAL};
use super::cycles::Cycles;
use super::ground::Ground;
use super::judge::{Held, Verdict, between, shifted};
use super::level::{Intermittent, Level};
use super::model::{Model, Quantiles};
use super::naive::Naive;
use super::smooth::{Ets, Mstl};
use super::spread::shifts;

/// A model must lose this much less than the naive one: less is chance.
const BETTER: f64 = 0.99;
/// Origins that models are judged at which learn anew at each.
const ORIGINS_LEARNT: usize = 4;
/// Of those, the ones that must speak for it before the others are asked.
const ORIGINS_RACED: usize = 2;
/// And so much less, since that is few.
const EARNED: f64 = 0.95;
/// Rows that a level is read over.
const LEVELS: [usize; 2] = [60, 1_000];

/// What all trials share.
pub struct Court<'a> {
    ground: &'a Ground,
    held: &'a Held,
    quantiles: &'a [f64],
    /// What was learnt from the rows before those held back.
    learnt: Option<Conditional>,
}

/// A model and what it did on the rows held back.
struct Trial {
    model: Box<dyn Model>,
    verdict: Verdict,
}

/// What is used so far.
struct Used {
    verdict: Verdict,
    /// At the end of all rows, not moved yet.
    answer: Quantiles,
}

impl<'a> Court<'a> {
    /// Learns what is learnt once.
    pub fn new(ground: &'a Ground, held: &'a Held, quantiles: &'a [f64]) -> Self {
        let learns = !(held.apart && ground.is_only_cycles());
        let learn = || Conditional::learn(ground, held.begin(), held.horizon, quantiles, None);
        Self {
            ground,
            held,
            quantiles,
            learnt: learns.then(learn).flatten(),
        }
    }

    /// The one that is used, its answer at the end of the rows, and all that were judged.
    pub fn settle(&self) -> (String, Quantiles, Vec<Judged>) {
        let naive = self.naive();
        let mut trials = self.trials();
        trials.sort_by(|a, b| a.verdict.loss.total_cmp(&b.verdict.loss));
        let bar = naive.verdict.loss;
        let mut judged = vec![told(&naive.verdict, bar)];
        judged.extend(trials.iter().map(|trial| told(&trial.verdict, bar)));
        let mut used = None;
        if let [best, second, ..] = trials.as_slice() {
            let both = self
                .held
                .both(self.ground, &best.verdict, &second.verdict, self.quantiles);
            judged.push(told(&both, bar));
            if both.loss < BETTER * best.verdict.loss.min(bar) {
                let moved = |trial: &Trial| shifted(&self.again(trial), &trial.verdict.shifts);
                used = Some(Used {
                    answer: between(&moved(best), &moved(second)),
                    verdict: both,
                });
            } else if best.verdict.loss < BETTER * bar {
                used = Some(self.used(best));
            }
        }
        used = self.smooth(&naive, &trials, &mut judged).or(used);
        judged.sort_by(|a, b| (a.loss / a.naive_loss).total_cmp(&(b.loss / b.naive_loss)));
        let used = used.unwrap_or_else(|| self.used(&naive));
        (used.verdict.name.clone(), self.spread(&used), judged)
    }

    fn trial(&self, model: impl Model + 'static) -> Trial {
        Trial {
            verdict: self.held.judge(self.ground, &model, self.quantiles),
            model: Box::new(model),
        }
    }

    /// The models that cost little at each origin.
    fn trials(&self) -> Vec<Trial> {
        let mut all: Vec<Trial> = LEVELS
            .iter()
            .map(|rows| self.trial(Level { rows: *rows }))
            .collect();
        if let Some(learnt) = &self.learnt {
            all.push(self.trial(learnt.clone()));
        }
        if Intermittent::suits(&self.ground.values) {
            all.push(self.trial(Intermittent));
        }
        if self.held.apart {
            let cycles = Cycles::all(self.ground.main).into_iter();
            all.extend(cycles.map(|model| self.trial(model)));
        }
        all
    }

    /// The best of the naive models: the last value, and the same step of each season.
    fn naive(&self) -> Trial {
        let of = |period: usize| {
            let step_s = self.ground.step_s;
            self.trial(Naive { period, step_s })
        };
        let seasons = self.ground.seasons.iter().map(|season| of(season.period));
        let less = |best: Trial, next: Trial| {
            if next.verdict.loss < best.verdict.loss {
                next
            } else {
                best
            }
        };
        seasons.fold(of(1), less)
    }

    /// The models that learn anew at each origin, at a few of them; the best, if it earns its place. One that is not ahead after
    /// the first of these is not tried at the others.
    fn smooth(&self, naive: &Trial, trials: &[Trial], judged: &mut Vec<Judged>) -> Option<Used> {
        let few = self.held.thinned(ORIGINS_LEARNT);
        let fewer = few.thinned(ORIGINS_RACED);
        let loss = |held: &Held, trial: &Trial| {
            held.judge(self.ground, &*trial.model, self.quantiles).loss
        };
        let least = |held: &Held| {
            let bar = loss(held, naive);
            let least = trials.iter().map(|trial| loss(held, trial));
            (bar, least.fold(bar, f64::min))
        };
        let (bar_raced, least_raced) = least(&fewer);
        let smooth: [Option<Box<dyn Model>>; 2] = [
            Some(Box::new(Ets)),
            Mstl::of(self.ground).map(|mstl| Box::new(mstl) as Box<dyn Model>),
        ];
        let mut used = None;
        let mut bars = None;
        for model in smooth.into_iter().flatten() {
            let raced = fewer.judge(self.ground, &*model, self.quantiles);
            if raced.loss >= least_raced {
                judged.push(told(&raced, bar_raced));
                continue;
            }
            let (bar, least) = bars.get_or_insert_with(|| least(&few));
            let verdict = few.judge(self.ground, &*model, self.quantiles);
            judged.push(told(&verdict, *bar));
            if verdict.loss < EARNED * *least {
                *least = verdict.loss;
                used = Some(self.used(&Trial { model, verdict }));
            }
        }
        used
    }

    fn used(&self, trial: &Trial) -> Used {
        Used {
            answer: self.again(trial),
            verdict: trial.verdict.clone(),
        }
    }

    /// A model's answer at the end of all rows; what learns, learns again with the rows that were held back.
    fn again(&self, trial: &Trial) -> Quantiles {
        let (ground, horizon) = (self.ground, self.held.horizon);
        let relearnt = (trial.verdict.name == CONDITIONAL)
            .then(|| {
                let start = self.learnt.as_ref();
                Conditional::learn(ground, ground.rows(), horizon, self.quantiles, start)
            })
            .flatten();
        match &relearnt {
            Some(model) => at_end(ground, model, horizon, self.quantiles),
            None => at_end(ground, &*trial.model, horizon, self.quantiles),
        }
    }

    /// An answer with each quantile moved by what was held back.
    fn spread(&self, used: &Used) -> Quantiles {
        let verdict = &used.verdict;
        let wider = verdict
            .held
            .apart
            .then(|| shifts(self.ground, verdict, self.quantiles));
        match wider.flatten() {
            Some(wider) => shifted(&used.answer, &wider),
            None => shifted(&used.answer, &verdict.shifts),
        }
    }
}

fn told(verdict: &Verdict, bar: f64) -> Judged {
    Judged {
        model: verdict.name.clone(),
        loss: verdict.loss,
        naive_loss: bar,
    }
}

/// A model's answer at the end of the rows, without a hole.
fn at_end(ground: &Ground, model: &dyn Model, horizon: usize, quantiles: &[f64]) -> Quantiles {
    let mut all = model.over(ground, &[ground.rows()], horizon, quantiles);
    filled(all.pop().unwrap_or_default(), ground)
}

/// Where a model has nothing to say, its neighbouring step speaks; where it never has, the newest value.
pub fn filled(mut answer: Quantiles, ground: &Ground) -> Quantiles {
    let newest = ground.values.iter().rev().find(|v| !v.is_nan()).copied();
    for values in &mut answer {
        let first = values.iter().find(|v| v.is_finite()).copied();
        let mut last = first.or(newest).unwrap_or(0.0);
        for value in values {
            if value.is_finite() {
                last = *value;
            } else {
                *value = last;
            }
        }
    }
    answer
}
