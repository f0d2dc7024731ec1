//! Custom templates: capabilities, limits and error handling.

use minijinja::context;

use super::*;

fn with_custom_template(name: &str, text: &str) -> Variants {
    Variants::with_custom([(name.to_owned(), text.to_owned())])
}

fn render_sample(variants: &Variants) -> RenderedText {
    let (_, values) = samples::sample_values(Commit).remove(0);
    variants.render_variant(Commit, &values).unwrap()
}

#[test]
fn every_built_in_template_is_compiled_and_fits_the_samples() {
    assert_eq!(Variants::built_in().complaints(), &[] as &[String]);
    for (variant, name, text) in BUILT_IN {
        assert!(text.starts_with("{#"), "{name} says what it is for");
        for (title, values) in samples::sample_values(variant) {
            let rendered = Variants::built_in().render(name, &values, variant);
            assert!(rendered.is_ok(), "{name} on {title}: {rendered:?}");
        }
    }
}

#[test]
fn every_built_in_template_is_a_valid_own_one() {
    let files = BUILT_IN.iter().map(|(_, name, text)| (format!("{name}.j2"), (*text).to_owned()));
    assert_eq!(Variants::with_custom(files).complaints(), &[] as &[String]);
}

#[test]
fn every_built_in_template_ends_with_what_was_noted_and_an_own_one_may_leave_it_out() {
    let noted = "Noted before: \u{201c}the proxy drops idle connections\u{201d}.";
    for (variant, name, _) in BUILT_IN.into_iter().filter(|(variant, ..)| *variant != Note) {
        let values = context! { noted, ..samples::sample_values(variant).remove(1).1 };
        let text = Variants::built_in().render_variant(variant, &values).unwrap().text;
        assert!(text.ends_with(noted), "{name}: {text}");
    }
    assert!(render_sample(&with_custom_template("commit.j2", "{{ say(noted, deed) }}")).text.starts_with(noted));
    assert!(!render_sample(&with_custom_template("commit.j2", "{{ deed }}")).text.contains("proxy"));
}

#[test]
fn a_persons_own_template_is_used() {
    let variants = with_custom_template("commit.j2", "{{ kind }} in {{ paths|join(', ') }}: {{ say(lead, split) }}");
    assert_eq!(variants.complaints(), &[] as &[String]);
    assert_eq!(
        render_sample(&variants).text,
        "fix in src/client.rs, tests/client.rs: fix(client)!: Retry on timeout. +84 −12 in 3 source files, tests +40."
    );
    let spread = with_custom_template("commit.j2", "{{ lead }}\n\n{{ deed }}\n");
    assert!(render_sample(&spread).text.starts_with("fix(client)!: Retry on timeout. Adds `Client::retry`"));
    let including = with_custom_template("commit.j2", "{% include 'commit' %}");
    assert_eq!(render_sample(&including), render_sample(Variants::built_in()));
}

#[test]
fn a_broken_template_is_complained_of_and_not_used() {
    for (text, why) in [
        ("{{ lead", "line 1"),
        ("{{ nothing_known }}", "`nothing_known` is undefined in line 1"),
        ("{{ say(lead, nothing_known) }}", "2. name"),
        ("{# nothing #}", "it says nothing"),
        ("{{ lead }}", "it says nothing (tried on a commit whose author said nothing)"),
        ("{% for n in range(100) %}word {% endfor %}", "it has 100 words"),
        ("a\nb\nc", "it has 3 lines"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}{{ deed }}", "fuel"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "commit.j2 is not used"),
        ("{% include 'your commit.j2' %}", "commit.j2 is not used"),
        ("{{ 'x' * 100000000000 }}", "commit.j2 is not used"),
        ("{{ deed|nofilter }}", "filter nofilter is unknown"),
    ] {
        let variants = with_custom_template("commit.j2", text);
        assert!(variants.complaints().len() == 1 && variants.complaints()[0].contains(why), "{text}: {variants:?}");
        assert_eq!(render_sample(&variants), render_sample(Variants::built_in()), "{text}");
    }
}

#[test]
fn a_file_of_another_name_is_complained_of() {
    let variants = with_custom_template("comit.j2", "{{ deed }}");
    assert!(variants.complaints()[0].contains("commit.j2, merge.j2"), "{variants:?}");
}

#[test]
fn one_that_fails_later_is_noted_and_the_built_in_one_used() {
    let variants = with_custom_template("commit.j2", "{% if files == 7 %}{{ files.x.y }}{% endif %}{{ deed }}");
    let values = context! { files => 7, ..samples::sample_values(Commit).remove(0).1 };
    let rendered = variants.render_variant(Commit, &values).unwrap();
    assert!(rendered.complaint.unwrap().contains("capture/commit.j2 was not used"));
    assert_eq!(rendered.text, Variants::built_in().render_variant(Commit, &values).unwrap().text);
}

#[test]
fn sentences_that_do_not_fit_are_left_out_and_later_ones_are_not() {
    let long = "word ".repeat(50);
    let values = context! { lead => long.as_str(), deed => long.as_str(), split => "It fits.", ..samples::sample_values(Commit).remove(1).1 };
    let text = Variants::built_in().render_variant(Commit, &values).unwrap().text;
    assert_eq!(text, format!("{}. It fits.", long.trim()));
}

#[test]
fn a_template_that_makes_much_of_little_costs_nothing() {
    let long = format!("{{% for n in range(400) %}}{}{{% endfor %}}", "word ".repeat(200));
    for (text, why) in [
        ("{{ \"x\" * 100000000 }}", "it multiplies"),
        ("{% set ns = [1, 2] * 90000000 %}{{ lead }}", "it multiplies"),
        ("{{ deed|indent(100000000000000000) }}", "filter indent is unknown"),
        (&long, "256 kB"),
    ] {
        let variants = with_custom_template("commit.j2", text);
        assert!(variants.complaints().len() == 1 && variants.complaints()[0].contains(why), "{variants:?}");
        assert_eq!(render_sample(&variants), render_sample(Variants::built_in()));
    }
}

#[test]
fn a_star_in_text_and_in_strings_multiplies_nothing() {
    assert!(
        has_multiplication("{{ 2 * 3 }}")
            && has_multiplication("{% if a ** 2 %}")
            && has_multiplication("{# * #}{{ '\\'' * 3 }}")
    );
    for text in ["* {{ deed }} *", "{# 2 * 3 #}", "{{ say('*', \"*\") }}", "{", "{{", "{#é", "{{ '", "é{{ 'é\\é"] {
        assert!(!has_multiplication(text), "{text}");
    }
}
