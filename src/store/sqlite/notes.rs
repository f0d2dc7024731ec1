//! Notes and their commits. A commit's capture lists its notes; a note has no back reference.

use rusqlite::{Connection, params};

use super::super::{NoteWithCommits, Result};
use super::captures::sort_out;
use super::codes::Coded;
use super::row::{self, CAPTURE, CaptureExtras};
use super::{checksum, record};
use crate::domain::capture::{Capture, CaptureKind};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::fallback::quoted_note;

/// With more notes than this in half an hour, none is assigned to a commit.
const MOST: i64 = 20;

pub const OWNERS: &str = "SELECT c.oid FROM noted n CROSS JOIN captures c ON c.row = n.capture
  WHERE n.note = ?1 AND c.repo_id = ?2 AND c.state = 0 AND c.oid IS NOT NULL ORDER BY n.capture";
pub const NAMING: &str = "SELECT c.row, c.raw, c.summary, c.template, c.rest
  FROM noted n CROSS JOIN captures c ON c.row = n.capture WHERE n.note = ?1";

/// Live notes of this repository in a half-open window, oldest first, and ids of damaged ones.
pub fn before(db: &Connection, repo: &RepoId, since: i64, until: i64) -> Result<(Vec<NoteWithCommits>, Vec<String>)> {
    let sql = format!(
        "SELECT {CAPTURE} FROM captures c WHERE c.repo_id = ?1 AND c.at >= ?2 AND c.at < ?3 AND c.kind = ?4
         AND c.state = 0 ORDER BY c.at DESC, c.row DESC LIMIT {MOST}"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(params![repo.as_str(), since, until, CaptureKind::Note.code()])?;
    let (mut notes, mut damaged) = (Vec::new(), Vec::new());
    while let Some(found) = rows.next()? {
        sort_out(row::capture(found), &mut notes, &mut damaged)?;
    }
    notes.reverse();
    let owned = |note: Capture| Ok(NoteWithCommits { commits: owners(db, repo, &note)?, note });
    Ok((notes.into_iter().map(owned).collect::<Result<_>>()?, damaged))
}

/// Commits with live captures that list the note.
fn owners(db: &Connection, repo: &RepoId, note: &Capture) -> Result<Vec<Oid>> {
    let mut query = db.prepare_cached(OWNERS)?;
    let values = params![note.id.to_string(), repo.as_str()];
    let oids = query.query_map(values, |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    oids.iter().map(|oid| row::parse(oid)).collect()
}

/// Before a note is forgotten: its captures lose the prompt that contained it, the link, and the sentence that quotes
/// it.
pub fn detach(tx: &Connection, note: CaptureId, words: &str) -> Result<()> {
    let read = |row: &rusqlite::Row<'_>| {
        let texts: [String; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get::<_, i64>(0)?, texts))
    };
    let found = tx.prepare(NAMING)?.query_map([note.to_string()], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for (row, [raw, summary, template, rest]) in found {
        let Ok(mut rest) = serde_json::from_str::<CaptureExtras>(&rest) else { continue };
        rest.notes.retain(|id| *id != note);
        let (summary, template) =
            (quoted_note::without_note(&summary, words), quoted_note::without_note(&template, words));
        let sum = checksum::of(&[&raw, &summary]);
        let sql = "UPDATE captures SET summary = ?2, template = ?3, rest = ?4, checksum = ?5 WHERE row = ?1";
        tx.execute(sql, params![row, summary, template, serde_json::to_string(&rest)?, sum])?;
        record::forget_wire(tx, row)?;
    }
    Ok(())
}
