//! Statistics that say how much they know: percentiles with their n.

pub mod quantile;
