//! Statistics that say how much they know: percentiles with their n, rates with their interval.

pub mod quantile;
pub mod wilson;
