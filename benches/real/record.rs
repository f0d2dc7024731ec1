//! One commit's texts, as a line of the record.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::report::Result;

/// What was sent, what came, and what became of it. A replay needs `oid`, `raw` and `finish` only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    pub repo: String,
    pub oid: String,
    pub subject: String,
    pub model: String,
    /// The message was replaced by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub prompt: String,
    pub prompt_tokens: u64,
    pub raw: String,
    /// `stop`, `length`, `cut` or `aborted`.
    pub finish: String,
    pub output_tokens: u64,
    pub ttft_ms: Option<f64>,
    pub total_ms: f64,
    pub template: String,
    pub kept: Option<String>,
    /// The text that would be stored; the template stands where there is none.
    pub text: Option<String>,
    /// As in a capture's provenance.
    pub reason: String,
    pub dropped: Vec<Dropped>,
    /// Verdicts of readers on the sentences of `raw` or of an earlier `kept`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sentences: Vec<Sentence>,
}

/// A piece that was left out, and why.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Dropped {
    pub sentence: String,
    pub word: String,
    pub why: String,
}

/// A sentence with what readers said of it, independently: `TRUE` or anything else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sentence {
    pub text: String,
    /// A reader who gave none is left out.
    pub verdicts: Vec<Option<String>>,
}

impl Sentence {
    /// All readers agree that it is true, or that it is not; nothing where they differ.
    pub fn is_true(&self) -> Option<bool> {
        let mut all = self.verdicts.iter().flatten().map(|verdict| verdict == "TRUE");
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }
}

/// # Errors
/// The file cannot be read, or a line is no record.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// Appends one line at a time: a run that is ended keeps what it has.
pub struct Log(Option<File>);

impl Log {
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: Option<&str>) -> Result<Self> {
        Ok(Self(path.map(File::create).transpose()?))
    }

    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        if let Some(file) = &mut self.0 {
            let line = serde_json::to_string(record)? + "\n";
            file.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}
