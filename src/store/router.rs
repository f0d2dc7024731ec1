//! State that the router learns: token counts, evidence of quality, forecasts.

use jiff::Timestamp;

use super::Result;
use crate::domain::role::Role;
use crate::prompt::tokens::ReportedCounts;
use crate::route::ledger::{Entry, Ledger};
use crate::route::merit::Evidence;
use crate::store::MarkStore;

/// Tokens per bytes for one model at one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenCount {
    pub endpoint: String,
    pub model: String,
    pub counts: ReportedCounts,
}

/// Quality of the texts that one model wrote for one role.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelEvidence {
    pub model: String,
    pub role: Role,
    pub evidence: Evidence,
}

/// One judged answer of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAnswer {
    pub at: Timestamp,
    pub endpoint: String,
    pub model: String,
    pub role: Role,
    /// Whether its text was kept, fully or in part.
    pub used: bool,
}

/// What the router learns from answers. Its marks keep the state of single models.
pub trait RouterState: MarkStore {
    /// Adds a server's token count for a prompt size; older counts decay. Returns the sum.
    fn count_tokens(&self, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<ReportedCounts>;
    /// The counts so far, by endpoint and model.
    fn token_counts(&self) -> Result<Vec<TokenCount>>;
    /// Scores of the models' texts since `since`, and the share kept after user edits: of the newest live captures and
    /// of drafts. At most one row per model and role.
    fn evidence(&self, since: Timestamp) -> Result<Vec<ModelEvidence>>;
    /// Judged answers since `since`, newest first, from the latency log: kept, ungrounded, or unusable. Reads the
    /// newest 5,000 operations.
    fn judged_answers(&self, since: Timestamp) -> Result<Vec<JudgedAnswer>>;
    /// Learned forecasts per model. Unreadable ones are skipped and learned again.
    fn forecasts(&self) -> Result<Ledger>;
    /// Stores it in place of an earlier one of its key. Beyond `route::ledger::MOST` the oldest are removed.
    fn store_forecast(&self, entry: &Entry) -> Result<()>;
}
