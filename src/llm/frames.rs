//! Bounded framing of a streamed body: lines (NDJSON) and server-sent events. Bytes in, frames out.

/// Maximum line length: a token with its envelope needs a few hundred bytes.
pub(super) const LINE_CAP: usize = 64 * 1024;
/// Smallest bound of a whole body.
pub(super) const BODY_CAP: usize = 256 * 1024;
/// Maximum bytes of one token on the wire, envelope included (measured: 230–300 bytes with llama.cpp).
const WIRE_BYTES_PER_TOKEN: usize = 1024;

/// A bound was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LimitExceeded {
    /// In bytes.
    pub(super) limit: usize,
}

/// Size limit of an answer of `max_tokens` tokens, in bytes.
pub(super) fn body_cap(max_tokens: u32) -> usize {
    BODY_CAP.max(usize::try_from(max_tokens).unwrap_or(usize::MAX).saturating_mul(WIRE_BYTES_PER_TOKEN))
}

/// Splits a body into lines within the size limits.
#[derive(Debug)]
pub(super) struct LineSplitter {
    buffer: Vec<u8>,
    /// Start of the first pending line.
    start: usize,
    /// Scan position: no newline before it.
    scanned: usize,
    taken: usize,
    body_cap: usize,
    overflow: bool,
}

impl LineSplitter {
    pub(super) fn new(body_cap: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, scanned: 0, taken: 0, body_cap, overflow: false }
    }

    /// Appends as much of `chunk` as the limit allows; the excess is reported after the lines before it.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        let room = self.body_cap - self.taken;
        self.overflow |= chunk.len() > room;
        let part = &chunk[..chunk.len().min(room)];
        self.taken += part.len();
        self.buffer.extend_from_slice(part);
    }

    /// The next whole line without its line end, or `None` until more is pushed.
    ///
    /// # Errors
    /// A line or the body exceeds its limit.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, LimitExceeded> {
        let found = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n').map(|at| self.scanned + at);
        let length = found.unwrap_or(self.buffer.len()) - self.start;
        if length > LINE_CAP {
            return Err(LimitExceeded { limit: LINE_CAP });
        }
        let Some(end) = found else {
            self.scanned = self.buffer.len();
            return if self.overflow { Err(LimitExceeded { limit: self.body_cap }) } else { Ok(None) };
        };
        let line = self.start..end;
        self.start = end + 1;
        self.scanned = self.start;
        Ok(Some(trim_end(&self.buffer[line])))
    }

    /// The rest after the last newline once the body has ended.
    pub(super) fn rest(&mut self) -> &[u8] {
        let rest = trim_end(&self.buffer[self.start..]);
        self.start = self.buffer.len();
        self.scanned = self.start;
        rest
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Kind of one line of an event stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SseLine<'a> {
    /// The value of a `data` field.
    Data(&'a [u8]),
    /// A comment, another field or an event's end.
    Nothing,
    /// Not event-stream syntax: some servers answer plain JSON to a streaming request.
    Plain(&'a [u8]),
}

/// Parses one line of an event stream. Every server in scope puts one JSON text into one `data` line.
pub(super) fn event(line: &[u8]) -> SseLine<'_> {
    if line.is_empty() || line.starts_with(b":") {
        return SseLine::Nothing;
    }
    if let Some(value) = line.strip_prefix(b"data:") {
        return SseLine::Data(value.strip_prefix(b" ").unwrap_or(value));
    }
    let field = line.split(|byte| *byte == b':').next().unwrap_or(line);
    if matches!(field, b"event" | b"id" | b"retry" | b"data") { SseLine::Nothing } else { SseLine::Plain(line) }
}

/// Content of one line of a streamed answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// A JSON text.
    Json(Vec<u8>),
    /// `[DONE]`.
    Done,
    /// A comment, a heartbeat, an event's end, or a piece of a document on several lines.
    Nothing,
}

/// Extracts the JSON texts of a streamed answer: JSON lines, server-sent events, or one document sent in reply to
/// a streaming request, also indented over several lines.
#[derive(Debug, Default)]
pub(super) struct PayloadParser {
    /// The current event is a heartbeat: skip its data.
    heartbeat: bool,
    /// The lines so far of an indented document.
    open: Vec<u8>,
}

impl PayloadParser {
    pub(super) fn push_line(&mut self, line: &[u8]) -> Payload {
        if line.is_empty() {
            self.heartbeat = false;
        }
        if let Some(name) = line.strip_prefix(b"event:") {
            self.heartbeat = is_heartbeat(name.trim_ascii());
            return Payload::Nothing;
        }
        match event(line) {
            SseLine::Nothing => Payload::Nothing,
            SseLine::Data(_) if self.heartbeat => Payload::Nothing,
            SseLine::Data(data) | SseLine::Plain(data) if data.trim_ascii().eq_ignore_ascii_case(b"[DONE]") => {
                Payload::Done
            }
            SseLine::Data(data) if data.trim_ascii().is_empty() || is_heartbeat(data.trim_ascii()) => Payload::Nothing,
            SseLine::Data(data) => Payload::Json(data.to_vec()),
            SseLine::Plain(line) => self.push_plain(line),
        }
    }

    fn push_plain(&mut self, line: &[u8]) -> Payload {
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() {
            return Payload::Nothing;
        }
        if self.open.is_empty() && trimmed != b"{" {
            return Payload::Json(trimmed.to_vec());
        }
        self.open.extend_from_slice(line);
        self.open.push(b'\n');
        let is_whole = trimmed == b"}" && serde_json::from_slice::<serde::de::IgnoredAny>(&self.open).is_ok();
        if is_whole || self.open.len() > LINE_CAP {
            Payload::Json(std::mem::take(&mut self.open))
        } else {
            Payload::Nothing
        }
    }
}

/// Keep-alives of servers and proxies.
fn is_heartbeat(text: &[u8]) -> bool {
    let heartbeats: [&[u8]; 8] =
        [b"ping", b"[ping]", b"heartbeat", b"[heartbeat]", b"keep-alive", b"keepalive", b"keep_alive", b"null"];
    heartbeats.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(lines: &mut LineSplitter) -> Result<Vec<String>, LimitExceeded> {
        let mut found = Vec::new();
        while let Some(line) = lines.next()? {
            found.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(found)
    }

    #[test]
    fn a_line_is_whole_only_with_its_end() {
        let mut lines = LineSplitter::new(BODY_CAP);
        lines.push(b"{\"a\"");
        assert_eq!(all(&mut lines), Ok(vec![]));
        lines.push(b":1}\r\n{\"b\":2}\nrest");
        assert_eq!(all(&mut lines), Ok(vec!["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()]));
        assert_eq!(lines.rest(), b"rest");
        assert_eq!(lines.rest(), b"");
    }

    #[test]
    fn one_endless_line_is_cut_at_its_bound() {
        let mut lines = LineSplitter::new(10 * BODY_CAP);
        lines.push(&vec![b'x'; LINE_CAP]);
        assert_eq!(all(&mut lines), Ok(vec![]));
        lines.push(b"x");
        assert_eq!(all(&mut lines), Err(LimitExceeded { limit: LINE_CAP }));
    }

    #[test]
    fn a_body_beyond_its_bound_still_gives_the_lines_before_it() {
        let mut lines = LineSplitter::new(8);
        lines.push(b"one\ntwo\nthree\n");
        assert_eq!(lines.next(), Ok(Some(&b"one"[..])));
        assert_eq!(lines.next(), Ok(Some(&b"two"[..])));
        assert_eq!(lines.next(), Err(LimitExceeded { limit: 8 }));
    }

    #[test]
    fn nothing_is_held_beyond_the_bound_however_large_the_chunk() {
        let mut lines = LineSplitter::new(BODY_CAP);
        lines.push(&vec![b'x'; 4 * BODY_CAP]);
        lines.push(&vec![b'x'; 4 * BODY_CAP]);
        assert!(lines.buffer.capacity() <= BODY_CAP);
    }

    #[test]
    fn a_long_draft_gets_a_larger_bound_than_a_capture() {
        assert_eq!(body_cap(80), BODY_CAP);
        assert_eq!(body_cap(2000), 2_048_000);
    }

    #[test]
    fn comments_and_other_fields_are_no_data() {
        assert_eq!(event(b": ping"), SseLine::Nothing);
        assert_eq!(event(b":"), SseLine::Nothing);
        assert_eq!(event(b""), SseLine::Nothing);
        assert_eq!(event(b"event: message"), SseLine::Nothing);
        assert_eq!(event(b"retry: 3"), SseLine::Nothing);
        assert_eq!(event(b"data: {}"), SseLine::Data(b"{}"));
        assert_eq!(event(b"data:[DONE]"), SseLine::Data(b"[DONE]"));
        assert_eq!(event(b"{\"error\":1}"), SseLine::Plain(b"{\"error\":1}"));
    }

    fn payloads(lines: &[&str]) -> Vec<Payload> {
        let mut payloads = PayloadParser::default();
        let all = lines.iter().map(|line| payloads.push_line(line.as_bytes()));
        all.filter(|payload| *payload != Payload::Nothing).collect()
    }

    #[test]
    fn heartbeats_are_no_data_in_whatever_form() {
        let beats = [
            ":",
            ": ping",
            "",
            "data:",
            "data: ",
            "data: ping",
            "data: [HEARTBEAT]",
            "data: null",
            "event: ping",
            "data: {\"type\":\"ping\"}",
            "",
            "event: keep-alive",
            "data: {}",
            "",
            "  ",
        ];
        assert_eq!(payloads(&beats), []);
        let after = payloads(&["event: ping", "data: {}", "", "data: {\"a\":1}", "{\"b\":2}", "data: [DONE]"]);
        let json = |text: &str| Payload::Json(text.as_bytes().to_vec());
        assert_eq!(after, [json("{\"a\":1}"), json("{\"b\":2}"), Payload::Done]);
        assert_eq!(payloads(&["[DONE]"]), [Payload::Done]);
        assert_eq!(payloads(&["data: nonsense"]), [json("nonsense")]);
    }

    #[test]
    fn an_indented_document_is_one_payload() {
        let found = payloads(&["{", "  \"choices\": [", "    {", "    }", "  ]", "}"]);
        let [Payload::Json(text)] = &found[..] else { panic!("{found:?}") };
        assert!(serde_json::from_slice::<serde_json::Value>(text).unwrap()["choices"].is_array());
        assert_eq!(payloads(&["{", "  \"a\": 1"]), [], "its end never came");
    }

    proptest! {
        #[test]
        fn the_cuts_between_chunks_change_nothing(body in "[a-c\n\r]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let mut whole = LineSplitter::new(BODY_CAP);
            whole.push(body.as_bytes());
            let expected = (all(&mut whole), whole.rest().to_vec());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let mut pieces = LineSplitter::new(BODY_CAP);
            let mut found = Vec::new();
            for pair in cuts.windows(2) {
                pieces.push(&body.as_bytes()[pair[0]..pair[1]]);
                found.extend(all(&mut pieces).unwrap());
            }
            prop_assert_eq!(expected, (Ok(found), pieces.rest().to_vec()));
        }
    }
}
