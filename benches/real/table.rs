//! What the records come to: shares, times, and precision and recall where readers judged the sentences.

use serde_json::{Value, json};

use super::record::Record;
use super::report::Row;

/// The line of these records.
pub fn row(name: &str, records: &[&Record]) -> Row {
    let n = records.len();
    let kept = records.iter().filter(|record| record.kept.is_some()).count();
    let median =
        |of: fn(&Record) -> Option<f64>| quantile(records.iter().filter_map(|record| of(record)).collect(), 0.5);
    let row = Row::named(name)
        .with("n", json!(n))
        .with("kept", json!(kept))
        .with("kept_share", share(kept, n))
        .with("used", json!(records.iter().filter(|record| record.text.is_some()).count()))
        .with("prompt_tokens", median(|record| Some(record.prompt_tokens as f64)))
        .with("output_tokens", median(|record| Some(record.output_tokens as f64)))
        .with("ttft_ms", median(|record| record.ttft_ms))
        .with("total_ms", median(|record| Some(record.total_ms)));
    judged(records).into_iter().fold(row, |row, (name, value)| row.with(name, value))
}

/// Sentences that all readers judged alike: those that are kept and true, of those kept (precision) and of those true
/// (recall), and the share of the false ones that are kept.
fn judged(records: &[&Record]) -> Vec<(&'static str, Value)> {
    let [mut true_kept, mut true_said, mut false_kept, mut false_said] = [0_usize; 4];
    for record in records {
        for sentence in &record.sentences {
            let kept = usize::from(record.kept.as_deref().is_some_and(|kept| holds(kept, &sentence.text)));
            match sentence.is_true() {
                Some(true) => (true_kept, true_said) = (true_kept + kept, true_said + 1),
                Some(false) => (false_kept, false_said) = (false_kept + kept, false_said + 1),
                None => {}
            }
        }
    }
    if true_said + false_said == 0 {
        return Vec::new();
    }
    vec![
        ("true_said", json!(true_said)),
        ("true_kept", json!(true_kept)),
        ("false_said", json!(false_said)),
        ("false_kept", json!(false_kept)),
        ("precision", share(true_kept, true_kept + false_kept)),
        ("recall", share(true_kept, true_said)),
        ("false_kept_share", share(false_kept, false_said)),
    ]
}

/// Whether a text says the sentence, whole or with a clause cut from its end: it has at least the sentence's first
/// words, up to half of them.
pub fn holds(text: &str, sentence: &str) -> bool {
    let (text, sentence) = (words(text), words(sentence));
    let first = &sentence[..sentence.len().div_ceil(2)];
    !first.is_empty() && text.windows(first.len()).any(|window| window == first)
}

/// Its words without a leading subject, which cleaning removes ("The commit adds" → "Adds").
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    let mut words: Vec<String> = words.collect();
    let subject = ["the", "this", "commit", "change", "it", "patch", "also"];
    let from = words.iter().position(|word| !subject.contains(&word.as_str())).unwrap_or(0);
    words.drain(..from);
    words
}

fn share(part: usize, whole: usize) -> Value {
    if whole == 0 { Value::Null } else { json!(part as f64 / whole as f64) }
}

fn quantile(mut values: Vec<f64>, q: f64) -> Value {
    values.sort_by(f64::total_cmp);
    let rank = ((q * values.len() as f64).ceil() as usize).saturating_sub(1);
    values.get(rank).map_or(Value::Null, |value| json!(value))
}
