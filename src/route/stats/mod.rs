//! Statistics with explicit uncertainty: percentiles with their n, calibrated forecasts.

pub mod brier;
pub mod lengths;
pub mod level;
pub mod quantile;
pub mod rls;
