//! No leakage: what comes at or after an origin cannot change what was said there, to the last bit.

use proptest::prelude::*;

use super::super::conditional::Conditional;
use super::super::cycles::Cycles;
use super::super::ground::Ground;
use super::super::level::{Intermittent, Level};
use super::super::model::Model;
use super::super::naive::Naive;
use super::super::smooth::{Ets, Mstl};
use super::*;

/// Every model, what learns having learnt from the rows before `end`.
fn models(ground: &Ground, end: usize, horizon: usize) -> Vec<Box<dyn Model>> {
    let mut all: Vec<Box<dyn Model>> = vec![
        Box::new(Naive {
            period: 1,
            step_s: ground.step_s,
        }),
        Box::new(Naive {
            period: 24,
            step_s: ground.step_s,
        }),
        Box::new(Level { rows: 60 }),
        Box::new(Intermittent),
        Box::new(Ets),
    ];
    all.extend(
        Cycles::all(ground.main)
            .into_iter()
            .map(|m| Box::new(m) as Box<dyn Model>),
    );
    all.extend(Mstl::of(ground).map(|m| Box::new(m) as Box<dyn Model>));
    all.extend(
        Conditional::learn(ground, end, horizon, &QUANTILES, None)
            .map(|m| Box::new(m) as Box<dyn Model>),
    );
    all
}

fn bits(answers: &[Vec<Vec<f64>>]) -> Vec<u64> {
    answers
        .iter()
        .flatten()
        .flatten()
        .map(|v| v.to_bits())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_model_reads_what_comes(seed in any::<u64>(), origin in 300_usize..400, horizon in 1_usize..40, value in 0.0..1e6_f64) {
        let rows = waves(440, 24, 6, seed);
        let ground = Ground::new(&series(3_600, &rows), 48, &Calendar::default(), &[]);
        let mut other = Ground::new(&series(3_600, &rows), 48, &Calendar::default(), &[]);
        for row in &mut other.values[origin..] {
            *row = value;
        }
        let learnt = models(&ground, origin, horizon);
        prop_assert_eq!(learnt.len(), 7 + Cycles::all(ground.main).len());
        for (one, two) in learnt.iter().zip(models(&other, origin, horizon)) {
            let a = one.over(&ground, &[origin], horizon, &QUANTILES);
            let b = two.over(&other, &[origin], horizon, &QUANTILES);
            prop_assert_eq!(bits(&a), bits(&b), "{}", one.name());
        }
    }

    #[test]
    fn the_same_rows_give_the_same_bits(seed in any::<u64>()) {
        let rows = waves(300, 24, 6, seed);
        prop_assert_eq!(ahead(&series(3_600, &rows), 24), ahead(&series(3_600, &rows), 24));
    }
}
