//! Statistics that say how much they know: percentiles with their n, forecasts with the chance that they come true.

pub mod brier;
pub mod lengths;
pub mod level;
pub mod quantile;
pub mod rls;
