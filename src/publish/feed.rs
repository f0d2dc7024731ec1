//! JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>): one file per directory, to which each page is added.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::draft_page::DraftPage;
use super::rich_text::html_fragment;

const VERSION: &str = "https://jsonfeed.org/version/1.1";

/// A feed; what this program does not know of it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Feed {
    version: String,
    title: String,
    items: Vec<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// `existing` with the page's item: in the place of an earlier version of it, else first. Without an existing feed, a
/// new one under the project's name. The same page again changes no byte of a feed that was written here.
///
/// # Errors
/// `existing` is no JSON Feed.
pub fn with_page(existing: Option<&str>, page: &DraftPage<'_>) -> Result<String, serde_json::Error> {
    let mut feed = match existing {
        Some(text) => serde_json::from_str(text)?,
        None => {
            Feed { version: VERSION.to_owned(), title: page.project.to_owned(), items: Vec::new(), rest: Map::new() }
        }
    };
    let item = item(page);
    match feed.items.iter_mut().find(|known| known["id"] == item["id"]) {
        Some(known) => *known = item,
        None => feed.items.insert(0, item),
    }
    serde_json::to_string_pretty(&feed).map(|text| text + "\n")
}

fn item(page: &DraftPage<'_>) -> Value {
    serde_json::json!({
        "id": format!("urn:uuid:{}", page.id),
        "title": page.title,
        "content_html": html_fragment(page.body),
        "summary": page.description,
        "date_published": page.date(),
        "tags": page.tags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::sample::draft;
    use jiff::tz::TimeZone;

    #[test]
    fn a_page_is_added_once_and_what_others_wrote_stays() {
        let (one, other) = (draft("One", "Done. `<b>`"), draft("Two", "More."));
        let (one, other) = (DraftPage::of(&one, &TimeZone::UTC), DraftPage::of(&other, &TimeZone::UTC));
        let first = with_page(None, &one).unwrap();
        assert_eq!(with_page(Some(&first), &one).unwrap(), first);
        let feed: Value = serde_json::from_str(&first).unwrap();
        assert_eq!((&feed["version"], &feed["title"]), (&VERSION.into(), &"harbour".into()));
        assert_eq!(feed["items"][0]["content_html"], "<p>Done. <code>&lt;b&gt;</code></p>\n");
        assert_eq!(feed["items"][0]["date_published"], "2026-03-03T00:00:00+00:00");

        let foreign =
            first.replace("\"title\": \"harbour\"", "\"title\": \"Mine\", \"home_page_url\": \"https://a.example/\"");
        let both: Value = serde_json::from_str(&with_page(Some(&foreign), &other).unwrap()).unwrap();
        assert_eq!((&both["title"], &both["home_page_url"]), (&"Mine".into(), &"https://a.example/".into()));
        let titles: Vec<&Value> = both["items"].as_array().unwrap().iter().map(|item| &item["title"]).collect();
        assert_eq!(titles, ["Two", "One"], "the newest is first");
        assert!(with_page(Some("[]"), &one).is_err());
    }
}
