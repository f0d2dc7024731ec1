//! Statistics with explicit uncertainty: percentiles with their n, calibrated forecasts.

pub mod brier;
pub mod conformal;
pub mod lengths;
pub mod level;
mod noise;
pub mod quantile;
pub mod rls;
