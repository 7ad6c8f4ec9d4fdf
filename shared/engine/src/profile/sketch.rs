//! Counts over a logarithmic scale: quantiles of a stream in bounded space, after `DDSketch`.

use foreshard_model::profile::Sketch;

/// From one bin to the next: the middle of a bin is within 4 % of every value in it (`DDSketch`, Masson and others, VLDB
/// 2019, section 2).
const GROWTH: f64 = 1.08;

/// Bins of one sketch: with this growth they cover values that differ by a factor of 6, and what is below that is one bin. The
/// inputs of one bucket differ by 4.
const BINS_MAX: usize = 24;

/// Number of the bin for values below 1.
const BELOW_ONE: i16 = -1;

/// Takes in one value; what is no number is left out.
pub(super) fn add(sketch: &mut Sketch, value: f64, weight: f64) {
    if !(value.is_finite() && weight > 0.0 && weight.is_finite()) {
        return;
    }
    sketch.max = sketch.max.max(value);
    put(sketch, bin_of(value), weight as f32);
    collapse(sketch);
}

/// Takes in all of another sketch, its weights times `factor`.
pub(super) fn merge(sketch: &mut Sketch, other: &Sketch, factor: f64) {
    for (&bin, &weight) in other.bins.iter().zip(&other.weights) {
        put(sketch, bin, (f64::from(weight) * factor) as f32);
    }
    sketch.max = sketch.max.max(other.max);
    collapse(sketch);
}

/// Multiplies all weights; bins that have faded away are dropped.
pub(super) fn scale(sketch: &mut Sketch, factor: f64) {
    for weight in &mut sketch.weights {
        *weight = (f64::from(*weight) * factor) as f32;
    }
    let kept = |at: usize| sketch.weights[at] > f32::MIN_POSITIVE;
    let at: Vec<usize> = (0..sketch.weights.len()).filter(|&at| kept(at)).collect();
    sketch.bins = at.iter().map(|&at| sketch.bins[at]).collect();
    sketch.weights = at.iter().map(|&at| sketch.weights[at]).collect();
}

/// Weight of everything in it.
#[must_use]
pub fn weight(sketch: &Sketch) -> f64 {
    sketch.weights.iter().map(|&w| f64::from(w)).sum()
}

/// The value below which the share `q` of the weight lies; `None` when it is empty.
///
/// At most the largest value seen; 1 and above within 4 %.
#[must_use]
pub fn quantile(sketch: &Sketch, q: f64) -> Option<f64> {
    let all = weight(sketch);
    let wanted = all * q.clamp(0.0, 1.0);
    let mut below = 0.0;
    let mut last = None;
    for (&bin, &weight) in sketch.bins.iter().zip(&sketch.weights) {
        below += f64::from(weight);
        last = Some(middle(bin).min(sketch.max));
        if below >= wanted && below > 0.0 {
            break;
        }
    }
    last
}

fn bin_of(value: f64) -> i16 {
    if value < 1.0 {
        return BELOW_ONE;
    }
    (value.ln() / GROWTH.ln()).floor().min(f64::from(i16::MAX)) as i16
}

fn middle(bin: i16) -> f64 {
    if bin == BELOW_ONE {
        return 0.0;
    }
    GROWTH.powi(i32::from(bin)) * 2.0 * GROWTH / (1.0 + GROWTH)
}

fn put(sketch: &mut Sketch, bin: i16, weight: f32) {
    match sketch.bins.binary_search(&bin) {
        Ok(at) => sketch.weights[at] += weight,
        Err(at) => {
            sketch.bins.insert(at, bin);
            sketch.weights.insert(at, weight);
        }
    }
}

/// The lowest bins become one: what decides about memory and time is above.
fn collapse(sketch: &mut Sketch) {
    while sketch.bins.len() > BINS_MAX {
        sketch.bins.remove(0);
        let lowest = sketch.weights.remove(0);
        sketch.weights[0] += lowest;
    }
}
