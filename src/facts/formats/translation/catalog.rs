//! Apple's string catalogs: parsed as whole JSON, since a message's key is too far above its text for a hunk to show
//! both.

use serde_json::Value;

use super::{MetadataChange, Translations, pair};

/// Changes between two catalogs; `None` if either cannot be parsed.
pub fn compare(old: &str, new: &str) -> Option<Translations> {
    let (old, new) = (parse_catalog(old)?, parse_catalog(new)?);
    let values = |units: &[CatalogUnit]| -> Vec<(String, String)> {
        units.iter().map(|unit| (unit.key.clone(), unit.value.clone())).collect()
    };
    let differs = |unit: &&CatalogUnit, others: &[CatalogUnit]| !others.contains(unit);
    let changed = |units: &[CatalogUnit], others: &[CatalogUnit]| -> Vec<CatalogUnit> {
        units.iter().filter(|unit| differs(unit, others)).cloned().collect()
    };
    let (removed, added) = (changed(&old, &new), changed(&new, &old));
    let mut changes = pair(&values(&removed), &values(&added));
    if changes.is_silent() && changes.metadata.is_empty() {
        changes.metadata.insert(MetadataChange::Comments);
    }
    Some(changes)
}

/// The text of one message in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CatalogUnit {
    key: String,
    value: String,
    state: String,
}

fn parse_catalog(text: &str) -> Option<Vec<CatalogUnit>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let catalog: Value = serde_json::from_str(text).ok()?;
    let mut units = Vec::new();
    for (key, entry) in catalog.get("strings")?.as_object()? {
        let languages = entry.get("localizations").and_then(Value::as_object);
        for (language, localized) in languages.into_iter().flatten() {
            collect(localized, &format!("{key} ({language})"), &mut units);
        }
    }
    Some(units)
}

/// Collects plain units and those of variations.
fn collect(value: &Value, key: &str, units: &mut Vec<CatalogUnit>) {
    let Some(fields) = value.as_object() else { return };
    for (name, field) in fields {
        if name == "stringUnit" {
            let of = |name: &str| field.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            units.push(CatalogUnit { key: key.to_owned(), value: of("value"), state: of("state") });
        } else {
            collect(field, key, units);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(state: &str, value: &str) -> String {
        format!(
            "{{\"strings\": {{\"Cart\": {{\"localizations\": {{\"de\": {{\"stringUnit\": \
             {{\"state\": \"{state}\", \"value\": \"{value}\"}}}}}}}}}}}}"
        )
    }

    #[test]
    fn a_catalog_is_told_by_its_messages() {
        let changes = compare(&catalog("translated", "Korb"), &catalog("translated", "Warenkorb")).unwrap();
        let one = &changes.changed[0];
        assert_eq!((one.key.as_str(), one.from.as_str(), one.to.as_str()), ("Cart (de)", "Korb", "Warenkorb"));
        let changes = compare(&catalog("translated", "Korb"), &catalog("needs_review", "Korb")).unwrap();
        assert!(changes.is_silent() && changes.metadata.contains(&MetadataChange::States), "{changes:?}");
        assert_eq!(compare("", &catalog("new", "Korb")).unwrap().added.len(), 1);
        assert_eq!(compare("{", "{"), None);
    }
}
