//! Resumable generation: a long batch text survives preemption. Finished sections are kept, and the rest is requested
//! at the next turn.

use std::future::Future;

use super::model::ModelText;
use super::sections::{Grain, Sections};
use crate::prompt::render::Rendered;

/// Fruitless tries in a row after which lines and sentences count as finished, too: the pauses between two preemptions
/// are too short for a section.
const FRUITLESS: u32 = 2;
/// Most interruptions of one text. Far beyond what fits into a lease, whose end is the real bound: this only stops an
/// endless loop of a caller that is preempted before every turn.
const MOST: u32 = 1000;

/// Outcome of one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Once {
    /// The model finished.
    Done(ModelText),
    /// Preempted, with the text so far.
    Recalled(ModelText),
    /// The prompt does not fit, in the server's words.
    TooLong(ModelText, String),
}

/// Asks until the text is whole. `ask` waits for a turn, and gives it up when it is preempted; later prompts append the
/// finished text, and the request to go on, to the first.
///
/// # Errors
/// Those of `ask`.
pub async fn write<A, F>(rendered: &Rendered, mut ask: A) -> Result<ModelText, String>
where
    A: FnMut(Rendered) -> F,
    F: Future<Output = Result<Once, String>>,
{
    let (mut sections, mut fruitless, mut prompt) = (Sections::default(), 0, rendered.clone());
    for _ in 0..MOST {
        match ask(prompt).await? {
            Once::Done(last) => return Ok(ModelText { text: sections.whole(&last.text), ..last }),
            // The finished text fills the room of the whole: it ends here.
            Once::TooLong(last, _) if !sections.text().is_empty() => {
                return Ok(ModelText { text: sections.text().trim_end().to_owned(), ..last });
            }
            Once::TooLong(_, why) => return Err(why),
            Once::Recalled(part) => {
                let grain = if fruitless < FRUITLESS { Grain::Blocks } else { Grain::Sentences };
                fruitless = if sections.keep(&part.text, grain) { 0 } else { fruitless + 1 };
            }
        }
        prompt = match sections.text() {
            "" => rendered.clone(),
            text => rendered.continued(text),
        };
    }
    Err(format!("it was interrupted {MOST} times"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::ready;

    use super::*;
    use crate::domain::draft::DraftKind;
    use crate::prompt::render;

    fn asked() -> Rendered {
        render::draft(DraftKind::Devlog, "uro", "3 March", &[], 1000)
    }

    fn text(text: &str) -> ModelText {
        ModelText { text: text.to_owned(), model: "m".to_owned(), ..ModelText::default() }
    }

    fn part(part: &str) -> Result<Once, String> {
        Ok(Once::Recalled(text(part)))
    }

    /// Plays these answers; returns the prompts as well.
    async fn play(answers: Vec<Result<Once, String>>) -> (Result<ModelText, String>, Vec<String>) {
        let (mut answers, questions) = (answers.into_iter(), RefCell::new(Vec::new()));
        let asked = asked();
        let written = write(&asked, |prompt| {
            questions.borrow_mut().push(prompt.question);
            ready(answers.next().unwrap())
        });
        let written = written.await;
        (written, questions.into_inner())
    }

    #[tokio::test]
    async fn a_text_that_is_not_interrupted_is_asked_for_once_and_comes_as_it_is() {
        let (written, questions) = play(vec![Ok(Once::Done(text("# A\n\nOne.\n")))]).await;
        assert_eq!(written, Ok(text("# A\n\nOne.\n")));
        assert_eq!(questions, [asked().question]);
    }

    #[tokio::test]
    async fn after_an_interruption_the_finished_sections_stand_and_the_rest_is_asked_for() {
        let (written, questions) =
            play(vec![part("# A\n\nOne.\n\nTw"), part("Two.\n\nThr"), Ok(Once::Done(text("Three.")))]).await;
        assert_eq!(written.unwrap().text, "# A\n\nOne.\n\nTwo.\n\nThree.");
        assert!(questions.iter().all(|question| question.starts_with(&asked().question)));
        assert!(questions[1].contains("One.\n</written>") && !questions[1].contains("Tw"));
        assert!(questions[2].contains("One.\n\nTwo.\n</written>"));
    }

    #[tokio::test]
    async fn one_that_was_interrupted_before_anything_was_finished_is_asked_the_same_again() {
        let (written, questions) = play(vec![part("# A"), Ok(Once::Done(text("# B\n\nTwo.")))]).await;
        assert_eq!(written.unwrap().text, "# B\n\nTwo.");
        assert_eq!(questions, [asked().question, asked().question]);
    }

    #[tokio::test]
    async fn where_there_is_never_time_for_a_section_sentences_stay() {
        let long = "One is here. And so";
        let (written, questions) =
            play(vec![part(long), part(long), part(long), Ok(Once::Done(text("Two is here.")))]).await;
        assert_eq!(written.unwrap().text, "One is here. Two is here.");
        assert!(!questions[2].contains("</written>") && questions[3].contains("One is here.\n</written>"));
    }

    #[tokio::test]
    async fn a_text_that_has_grown_as_long_as_there_is_room_ends_there() {
        let too_long = || Ok(Once::TooLong(text(""), "too long".to_owned()));
        let (written, _) = play(vec![part("# A\n\nOne.\n\nTw"), too_long()]).await;
        assert_eq!(written.unwrap(), text("# A\n\nOne."));
        assert_eq!(play(vec![too_long()]).await.0, Err("too long".to_owned()));
    }

    #[tokio::test]
    async fn what_fails_in_between_fails_it() {
        let (written, _) = play(vec![part("# A\n\nOne.\n\n"), Err("the server broke off".to_owned())]).await;
        assert_eq!(written, Err("the server broke off".to_owned()));
    }

    #[tokio::test]
    async fn recalls_without_end_end() {
        let answers = (0..MOST).map(|_| part("")).collect();
        assert!(play(answers).await.0.unwrap_err().contains("interrupted"));
    }
}
