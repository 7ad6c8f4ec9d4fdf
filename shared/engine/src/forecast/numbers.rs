//! Medians, quantiles and means of what may have holes.

/// The middle of the numbers, which are reordered; none of none.
pub fn median(numbers: &mut [f64]) -> Option<f64> {
    let half = numbers.len() / 2;
    if numbers.is_empty() {
        return None;
    }
    let middle = *numbers.select_nth_unstable_by(half, f64::total_cmp).1;
    if numbers.len() % 2 == 1 {
        return Some(middle);
    }
    let lower = numbers[..half].iter().copied().fold(f64::MIN, f64::max);
    Some((lower + middle) / 2.0)
}

/// The mean; none of none.
pub fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0_usize), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// A quantile of ascending numbers by straight lines between them; none of none.
pub fn quantile(ascending: &[f64], q: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let at = q.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let high = at.ceil() as usize;
    Some(ascending[low] + (ascending[high] - ascending[low]) * (at - low as f64))
}

/// What a forecast of a quantile loses where `actual` comes (pinball loss).
pub fn pinball(q: f64, forecast: f64, actual: f64) -> f64 {
    let over = actual - forecast;
    (q * over).max((q - 1.0) * over)
}
