//! Expected language and script of an answer.

use super::*;

#[test]
fn other_languages_and_scripts_are_foreign_to_an_english_author() {
    for text in [
        "Fügt eine Wiederholung für die Anmeldung hinzu.",
        "Ajoute une nouvelle tentative de connexion dans le client.",
        "Añade un reintento al inicio de sesión del cliente.",
        "Adiciona uma nova tentativa de login ao cliente.",
        "Aggiunge un nuovo tentativo di accesso nel client.",
        "Voegt een nieuwe poging toe voor het aanmelden.",
        "Lägger till ett nytt försök för att logga in.",
        "Menambahkan percobaan ulang untuk proses masuk.",
        "Dodaje ponowną próbę logowania oraz usuwa stary kod.",
        "为登录添加重试。",
        "ログインに再試行を追加します。",
        "로그인에 재시도를 추가합니다.",
        "Добавляет повтор входа.",
        "يضيف إعادة المحاولة لتسجيل الدخول.",
        "Adds 重试 to the login.",
        "Adds a r\u{0435}try to the login.",
        "𝐀𝐝𝐝𝐬 a retry.",
    ] {
        assert!(Expected::default().is_foreign(text), "{text}");
    }
}

#[test]
fn english_code_names_units_and_quotes_are_not() {
    for text in [
        "Adds a retry.",
        "Bumps tokio, serde, hyper, tower, axum, tonic and prost.",
        "Clippy lints",
        "Renames `größe_prüfen` to `check_size`.",
        "Prints \"für das Protokoll\" at the end.",
        "Waits 20 µs, not 3 Δt, in λ.",
        "Handles naïve résumé façades in the café.",
        "Mentions Zoë and Müller in AUTHORS.",
        "src/a.rs src/b.rs Cargo.toml README.md",
    ] {
        assert!(!Expected::default().is_foreign(text), "{text}");
    }
}

#[test]
fn an_author_is_answered_in_the_authors_language_or_in_english() {
    let german = Expected::of("Füge eine Wiederholung für die Anmeldung hinzu");
    assert!(!german.is_foreign("Fügt eine Wiederholung für die Anmeldung hinzu."));
    assert!(!german.is_foreign("Adds a retry to the login of the client."));
    assert!(german.is_foreign("为登录添加重试。"));
    let chinese = Expected::of("为登录添加重试");
    assert!(!chinese.is_foreign("为登录添加了重试机制。"));
    assert!(chinese.is_foreign("Добавляет повтор входа."));
    assert!(!Expected::of("Greet 世界").is_foreign("Greets 世界 at the start."));
}

#[test]
fn the_authors_prefix_and_person_are_seen() {
    let author = Expected::of("feat(cli): we add a flag");
    assert!(author.has_prefix("feat") && !author.has_prefix("fix") && author.has_first_person());
    assert!(!Expected::of("Add a flag").has_first_person());
}
