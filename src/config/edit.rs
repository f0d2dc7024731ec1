//! `config set`: a format-preserving edit of one key in the user's file; comments stay.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table};

use super::error::{ConfigError, Result, SettingOrigin};
use super::keys::HIDDEN;
use super::{file, keys, layer, paths, validate};

/// Sets `key` in the file at `path` (created if absent) atomically. A file that would not load is not written.
///
/// # Errors
/// The key or value is invalid, or the file cannot be read or written.
pub fn set_in_file(path: &Path, key: &str, value: &str) -> Result<()> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    let changed = set(&text, path, key, value)?;
    layer::check_file(&changed, path)?;
    replace(path, &changed).map_err(|source| ConfigError::Write { path: path.to_owned(), source })
}

/// `text` with `key` set.
///
/// # Errors
/// The key or value is invalid, or `text` is not TOML.
pub fn set(text: &str, path: &Path, key: &str, value: &str) -> Result<String> {
    let shown = if keys::is_secret(key) { HIDDEN } else { value };
    let origin = SettingOrigin::Flag { text: format!("config set {key} {shown}") };
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let Some(spec) = keys::find_key(key) else { return Err(file::unknown(section, name, origin)) };
    let value = validate::from_text(spec.shape, value).map_err(|message| ConfigError::Invalid {
        key: key.to_owned(),
        message,
        origin: origin.clone(),
    })?;
    file::parse(text, path)?;
    let syntax = |message: String| ConfigError::Syntax { message, origin: origin.clone() };
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| syntax(error.to_string()))?;
    let value: toml_edit::Value =
        value.to_string().parse().map_err(|error: toml_edit::TomlError| syntax(error.to_string()))?;
    let place = match keys::endpoint_field(key) {
        Some((index, _)) => document.get_mut("endpoints").and_then(|list| list.get_mut(index)),
        None => Some(table_at(document.as_table_mut(), section)),
    };
    let Some(table) = place.and_then(Item::as_table_like_mut) else {
        return Err(syntax("there is no such [[endpoints]] entry to change".to_owned()));
    };
    replace_value(table, name, value);
    Ok(document.to_string())
}

/// Replaces the value alone, so that the blanks and the comment after it stay.
fn replace_value(table: &mut dyn toml_edit::TableLike, name: &str, mut value: toml_edit::Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
}

/// The table of `[section]`, created if absent; headers of tables that only hold others are not written.
fn table_at<'a>(root: &'a mut Table, section: &str) -> &'a mut Item {
    let mut parts = section.split('.');
    let first = root.entry(parts.next().unwrap_or("")).or_insert_with(|| new_table(section.contains('.')));
    parts.fold(first, |item, part| {
        let place = &mut item[part];
        if place.is_none() {
            *place = new_table(false);
        }
        place
    })
}

fn new_table(implicit: bool) -> Item {
    let mut table = Table::new();
    table.set_implicit(implicit);
    Item::Table(table)
}

/// Writes beside the file, then renames over it (atomic replacement).
/// A link is followed, so that a file kept elsewhere (dotfiles) stays there.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().unwrap_or(Path::new("."));
    paths::create_private(dir)?;
    // A file that holds a server's key may be private already; a new one is.
    let mode = std::fs::metadata(&target).map_or(0o600, |found| found.permissions().mode() & 0o777);
    paths::replace_file(&target, text.as_bytes(), mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, key: &str, value: &str) -> String {
        set(text, Path::new("c.toml"), key, value).unwrap()
    }

    #[test]
    fn comments_and_order_stay() {
        let text = "# mine\n[capture]\nrefine = true # later\nbudget = \"2s\"  # hard\n";
        let expected = "# mine\n[capture]\nrefine = true # later\nbudget = \"3s\"  # hard\n";
        assert_eq!(changed(text, "capture.budget", "3s"), expected);
    }

    #[test]
    fn missing_sections_are_made() {
        assert_eq!(changed("", "capture.refine", "no"), "[capture]\nrefine = false\n");
        assert_eq!(changed("", "options.blog.top_k", "20"), "[options.blog]\ntop_k = 20\n");
        assert_eq!(changed("", "capture.exclude_paths", "a,b"), "[capture]\nexclude_paths = [\"a\", \"b\"]\n");
    }

    #[test]
    fn dotted_and_inline_tables_are_changed_where_they_stand() {
        assert_eq!(changed("capture.budget = \"2s\"\n", "capture.budget", "1s"), "capture.budget = \"1s\"\n");
        assert_eq!(changed("models = { blog = \"a\" }\n", "models.blog", "b"), "models = { blog = \"b\" }\n");
    }

    #[test]
    fn an_endpoint_that_exists_can_be_changed() {
        let text = "[[endpoints]]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\n";
        assert!(changed(text, "endpoints[0].max_in_flight", "4").ends_with("max_in_flight = 4\n"));
        assert!(set(text, Path::new("c"), "endpoints[1].name", "b").is_err());
    }

    #[test]
    fn wrong_keys_values_and_files_are_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config/capture.toml");
        for (key, value) in
            [("capture.bugdet", "2s"), ("capture.budget", "soon"), ("options.blog.num_ctx", "1024"), ("x", "")]
        {
            assert!(set_in_file(&path, key, value).is_err(), "{key}");
        }
        assert!(!path.exists());
        set_in_file(&path, "capture.budget", "3s").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[capture]\nbudget = \"3s\"\n");
        std::fs::write(&path, "[captur]\n").unwrap();
        assert!(set_in_file(&path, "capture.budget", "4s").unwrap_err().to_string().contains("line 1"));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_linked_file_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("capture.toml"));
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set_in_file(&link, "capture.budget", "3s").unwrap();
        assert!(link.is_symlink() && std::fs::read_to_string(&real).unwrap().contains("3s"));
    }
}
