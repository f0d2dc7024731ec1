//! The choice of `src/route` over empirical quantiles of the last runs.

#[path = "../copy_budget.rs"]
mod budget;
#[path = "../copy_choice.rs"]
mod choice;
pub mod forecast;

use uro_capture::route::{signals, tally};

use super::parts::decision;

super::router!();
