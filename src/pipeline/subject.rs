//! Subject of a capture: a commit or a note, redacted, with its template and its prompt.

use super::tags;
use crate::domain::capture::{Capture, CaptureKind, CommitRef};
use crate::domain::clock::Clock;
use crate::domain::context::{Context, tickets_of_branch};
use crate::domain::id::Oid;
use crate::domain::patch::Commit;
use crate::facts::{self, Facts};
use crate::fallback::template;
use crate::fallback::variants::{RenderedText, Variants};
use crate::grounding;
use crate::prompt::render::{self, RenderedPrompt};
use crate::prompt::tokens::Budget;
use crate::quality::vocabulary;
use crate::redact::sensitive_values;
use crate::redact::{redact, redact_commit};

/// All of it is redacted.
#[derive(Debug, Clone)]
pub enum Subject {
    Commit(Box<Work>),
    Note { text: String, project: String },
}

/// A commit with its facts.
#[derive(Debug, Clone)]
pub struct Work {
    pub commit: Commit,
    pub facts: Facts,
    pub context: Context,
}

impl Subject {
    /// Redacts the commit; later stages never see what was removed.
    #[must_use]
    pub fn commit(commit: Commit, clock: &dyn Clock) -> Self {
        let mut commit = sensitive_values::hide_values(redact_commit(commit));
        let mut facts = facts::extract_facts(&commit, clock).without_secrets(&|name| redact(name) != name);
        commit.patch.files.iter_mut().for_each(|file| file.texts = None);
        let mut tickets = commit.branch.as_deref().map(tickets_of_branch).unwrap_or_default();
        tickets.retain(|ticket| !facts.author.tickets.contains(ticket));
        facts.author.tickets.extend(tickets.iter().cloned());
        Self::Commit(Box::new(Work { commit, facts, context: Context { notes: Vec::new(), tickets } }))
    }

    /// Attaches the commit's notes, which were redacted as captures.
    pub fn note_before(&mut self, notes: &[Capture]) {
        if let Self::Commit(work) = self {
            work.context.notes = notes.iter().map(|note| note.raw.clone()).collect();
        }
    }

    /// Redacts the note.
    #[must_use]
    pub fn note(text: &str, project: &str) -> Self {
        Self::Note { text: redact(text), project: redact(project) }
    }

    #[must_use]
    pub fn kind(&self) -> CaptureKind {
        match self {
            Self::Commit(work) => work.commit.kind(),
            Self::Note { .. } => CaptureKind::Note,
        }
    }

    /// Renders the template; it cannot fail, whatever the user's own templates are. Their output is redacted like
    /// everything else.
    #[must_use]
    pub fn template(&self, wording: &Variants) -> RenderedText {
        let rendered = match self {
            Self::Commit(work) => template::summarize_commit_with(wording, &work.commit, &work.facts, &work.context),
            Self::Note { text, .. } => template::summarize_note_with(wording, text),
        };
        RenderedText { text: redact(&rendered.text), ..rendered }
    }

    /// The text with a model's checked sentence in it; `None` where the template alone says as much, and for a note.
    #[must_use]
    pub fn with_sentence(&self, wording: &Variants, sentence: &str) -> Option<String> {
        match self {
            Self::Commit(work) => {
                let of = (&work.commit, &work.facts, &work.context);
                template::with_sentence(wording, of, sentence, &grounding::adds_information).map(|text| redact(&text))
            }
            Self::Note { .. } => None,
        }
    }

    /// The prompt within the budget.
    #[must_use]
    pub fn prompt(&self, budget: &Budget) -> RenderedPrompt {
        match self {
            Self::Commit(work) => {
                let Work { commit, facts, context } = work.as_ref();
                let deeds = redact(&template::describe_changes(commit, facts));
                let rendered = render::commit(commit, &deeds, &facts.symbols, context, budget);
                let wording = vocabulary::build_vocabulary(&commit.patch, &facts.symbols, &rendered.question);
                RenderedPrompt { wording: Some(wording), ..rendered }
            }
            Self::Note { text, project } => render::note(text, project),
        }
    }

    /// The author's words.
    #[must_use]
    pub fn raw(&self) -> &str {
        match self {
            Self::Commit(work) => work.commit.message.trim_end(),
            Self::Note { text, .. } => text,
        }
    }

    /// Tags of the capture.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        match self {
            Self::Commit(work) => tags::of_commit(&work.commit, &work.facts),
            Self::Note { text, .. } => tags::of_note(text),
        }
    }

    /// The capture's `commit` field.
    #[must_use]
    pub fn commit_ref(&self) -> Option<CommitRef> {
        let commit = &self.work()?.commit;
        Some(CommitRef {
            oid: commit.oid.clone(),
            branch: commit.branch.clone(),
            subject: commit.subject().to_owned(),
            author: commit.author.clone(),
            files: commit.patch.files_total as u64,
            insertions: commit.patch.insertions,
            deletions: commit.patch.deletions,
            patch_id: commit.patch.patch_id.clone(),
            change_id: commit.change_id.clone(),
            parents: if commit.kind() == CaptureKind::Merge { commit.parents.clone() } else { Vec::new() },
        })
    }

    #[must_use]
    pub fn oid(&self) -> Option<&Oid> {
        match self {
            Self::Commit(work) => Some(&work.commit.oid),
            Self::Note { .. } => None,
        }
    }

    /// The commit, if it is one.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Commit(work) => Some(work),
            Self::Note { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;

    #[test]
    fn a_note_is_redacted_before_anything_sees_it() {
        let subject = Subject::note("token is ghp_0123456789abcdefghijklmnopqrstuvwxyz", "p");
        assert!(!subject.raw().contains("ghp_0123456789"), "{}", subject.raw());
        assert!(!subject.template(Variants::built_in()).text.contains("ghp_0123456789"));
        assert!(!subject.prompt(&500.into()).question.contains("ghp_0123456789"));
    }

    #[test]
    fn what_a_persons_own_template_says_is_redacted_too() {
        let key = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
        let own = ["note.j2", "commit.j2"].map(|name| (name.to_owned(), format!("Sent with {key} by me.")));
        let wording = Variants::with_custom(own);
        assert!(wording.complaints().is_empty(), "{wording:?}");
        let commit = facts::sample::commit("wip", vec![facts::sample::counted("src/x.zig", 2, 1)]);
        for subject in [Subject::note("a note", "p"), Subject::commit(commit, &SystemClock)] {
            let text = subject.template(&wording).text;
            assert!(text.starts_with("Sent with [redacted") && !text.contains(key), "{text}");
        }
    }
}
