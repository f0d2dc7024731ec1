//! Runs of real servers, as they were recorded.

/// The columns of a recording: tokens, milliseconds, how it ended, what the machine did, seconds since the start.
pub const HEAD: &str =
    "prompt_tokens,cached,allowed,written,load_ms,ttft_ms,tpot_ms,took_ms,end,pressed,busy_processes,since_s";
