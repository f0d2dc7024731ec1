//! Secret references: values that name where a secret is stored or read from. `${DB_PASSWORD}`, `@env:AC_PASSWORD`,
//! `op://vault/item/field`, `process.env.DB_PASSWORD`, `/run/secrets/db`.

/// Names of secret stores and settings before the colon of a reference.
#[rustfmt::skip]
const STORES: [&str; 43] = [
    "op", "vault", "secret", "secrets", "env", "keychain", "keyring", "ssm", "sm", "awssm", "aws-sm", "aws-ssm",
    "awsssm", "aws-secretsmanager", "awssecretsmanager", "secretsmanager", "gsm", "gcpsm", "gcp-sm", "gcpsecrets",
    "azkv", "akv", "azurekeyvault", "keyvault", "doppler", "infisical", "bws", "bitwarden", "lastpass", "1password",
    "berglas", "akeyless", "conjur", "credstash", "file", "parameterstore", "ext",
    "config", "aws", "gcp", "azure", "ref", "getenv",
];
/// Functions and objects that read the environment or a store, followed by the name read.
#[rustfmt::skip]
const READERS: [&str; 24] = [
    "process.env", "import.meta.env", "os.environ.get", "os.environ", "os.getenv", "os.Getenv", "getenv", "env",
    "System.getenv", "ENV.fetch", "ENV", "Deno.env.get", "Bun.env", "std::env::var", "env::var", "env!", "$env",
    "Environment.GetEnvironmentVariable", "secrets", "$_ENV", "$ENV", "var", "secret", "vault",
];
/// Commands that print a stored secret.
#[rustfmt::skip]
const COMMANDS: [&str; 17] = [
    "cat ", "op read ", "op item get ", "vault kv get ", "vault read ", "pass show ", "gopass show ", "bw get ",
    "lpass show ", "security find-", "secret-tool lookup ", "aws secretsmanager get-", "aws ssm get-",
    "gcloud secrets ", "az keyvault secret show ", "doppler secrets get ", "openssl rand ",
];
/// Template functions that read a value.
#[rustfmt::skip]
const LOOKUPS: [&str; 13] = [
    "env", "lookup", "query", "user", "vault", "secret", "secrets", "key", "resolve", "getenv", "requiredEnv", "op",
    "var",
];
/// Beginnings of paths.
#[rustfmt::skip]
const ROOTS: [&str; 22] = [
    "etc", "usr", "var", "home", "opt", "tmp", "run", "dev", "proc", "root", "srv", "mnt", "bin", "lib", "app",
    "data", "secrets", "vault", "config", "certs", "Users", "Library",
];
/// Maximum digits at the end of a word in a name or a path.
const NUMBER: usize = 5;

/// Whether a value only refers to a secret and contains none of it.
pub(super) fn is_reference(value: &str) -> bool {
    is_variable(value)
        || is_filled_in(value)
        || is_command(value)
        || is_in_store(value)
        || is_read(value)
        || is_file(value)
}

/// `$NAME`, `%NAME%`, `$(NAME)`, `@@NAME@@`, `__NAME__`, `%(NAME)s`.
fn is_variable(value: &str) -> bool {
    let shouting = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let between = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if [("@@", "@@"), ("@", "@"), ("__", "__"), ("%(", ")s")].iter().any(|(a, b)| between(a, b).is_some_and(shouting)) {
        return true;
    }
    let bracketed = value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    // Symfony's parameters: `%db.password%`, `%env(resolve:DB_PASSWORD)%`.
    let parameter = between("%", "%").map(|name| between("%env(", ")%").unwrap_or(name));
    parameter.is_some_and(is_name) || bracketed.or_else(|| value.strip_prefix('$')).is_some_and(shouting)
}

/// `${NAME}`, `${{ secrets.NAME }}`, `{{ name | quote }}`, `#{NAME}#`, `{{ env "NAME" }}`; not one that holds a default.
fn is_filled_in(value: &str) -> bool {
    let value = value.strip_suffix('#').unwrap_or(value);
    let Some(inner) = ["${{", "{{", "${", "#{"].iter().find_map(|mark| value.strip_prefix(mark)) else {
        return false;
    };
    let Some(inner) = inner.strip_suffix('}').map(|inner| inner.trim_end_matches('}').trim()) else { return false };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ' | '$' | '{' | '}' | '|');
    let first = inner.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let read = value.starts_with("{{") && LOOKUPS.contains(&first);
    let has_default = ["default", "||", " or ", ":-", "-}", "-'", "-\""].iter().any(|mark| inner.contains(mark));
    !has_default && !is_default(inner) && (inner.chars().all(plain) || read)
}

/// `NAME-sunshine`: a shell default for an unset variable.
fn is_default(inner: &str) -> bool {
    let small = |text: &str| text.contains(|c: char| c.is_ascii_lowercase());
    inner.split_once('-').is_some_and(|(name, value)| !small(name) && small(value))
}

/// `$(cat /run/secrets/db)`
fn is_command(value: &str) -> bool {
    let inner = value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| {
        !inner.contains([';', '|', '&', '<']) && COMMANDS.iter().any(|command| inner.starts_with(command))
    })
}

/// `@env:NAME`, `vault:secret/data/app#password`, `op://vault/item/field`, `arn:aws:secretsmanager:…`.
fn is_in_store(value: &str) -> bool {
    let cloud = value.starts_with("arn:aws") && [":secretsmanager:", ":ssm:"].iter().any(|part| value.contains(part));
    let google = value.starts_with("projects/") && value.contains("/secrets/");
    if cloud || google || value.starts_with("@Microsoft.KeyVault(") {
        return true;
    }
    let Some((scheme, rest)) = value.trim_start_matches(['@', '$']).split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let names_secrets = scheme.contains("secret");
    let is_reference = names_secrets || STORES.contains(&scheme.as_str()) || scheme.starts_with("ref+");
    match rest.strip_prefix("//") {
        Some(place) => is_reference && !place.is_empty() && !place.contains('@'),
        // `vault:sunshine` may be a person and a password.
        None => {
            let plain = ["env", "getenv", "keychain", "keyring", "keyvault", "ssm"].contains(&scheme.as_str());
            is_reference
                && is_name(rest)
                && (plain || rest.contains('/') || (!names_secrets && rest.contains(['.', '_', '#'])))
        }
    }
}

/// `process.env.NAME`, `os.environ["NAME"]`, `env('NAME')`.
fn is_read(value: &str) -> bool {
    READERS.iter().filter_map(|reader| value.strip_prefix(reader)).any(|rest| {
        let name = rest.trim_start_matches(['.', '[', '(', '{', '"', '\'']);
        name.len() < rest.len() && is_name(name.trim_end_matches([']', ')', '}', '"', '\'']))
    })
}

/// `/etc/ssl/private/server.key`, `~/.ssh/id_rsa`, `C:\certs\app.pfx`.
fn is_file(value: &str) -> bool {
    let near = ["./", "../", "~/"].iter().find_map(|start| value.strip_prefix(start));
    let drive = value.get(1..3) == Some(":\\") && value.starts_with(|c: char| c.is_ascii_alphabetic());
    let rooted = value.strip_prefix('/').and_then(|rest| rest.split_once('/')).filter(|(root, _)| ROOTS.contains(root));
    let rest = if drive { value.get(3..) } else { near.filter(|rest| rest.contains(['/', '.', '_'])) };
    rooted.map(|(_, rest)| rest).or(rest).is_some_and(is_name)
}

/// Words, joined as in names and paths; each may end in a number.
fn is_name(name: &str) -> bool {
    let word = |part: &str| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - stem.len() <= NUMBER && stem.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let joint = |c: char| matches!(c, '_' | '-' | '.' | '/' | '\\' | '#' | ':' | ' ');
    name.contains(|c: char| c.is_ascii_alphabetic()) && name.split(joint).all(word)
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn what_says_where_a_value_is_kept_is_a_reference() {
        for value in [
            "$DB_PASSWORD",
            "%DB_PASSWORD%",
            "%db.password%",
            "%env(DB_PASSWORD)%",
            "%env(resolve:DB_PASSWORD)%",
            "$(DB_PASSWORD)",
            "${DB_PASSWORD}",
            "${{ secrets.DB_PASSWORD }}",
            "{{ db.password }}",
            "{{ .Values.password | quote }}",
            "{{ env \"DB_PASSWORD\" }}",
            "#{DB_PASSWORD}#",
            "{{ lookup('env', 'DB_PASSWORD') }}",
            "{{resolve:secretsmanager:db:SecretString:password}}",
            "$(cat /run/secrets/db)",
            "$(op read op://vault/db/password)",
            "@env:AC_PASSWORD",
            "@keychain:AC_PASSWORD",
            "env:DB_PASSWORD",
            "$env:DB_PASSWORD",
            "ENV:DB_PASSWORD",
            "vault:secret/data/app#password",
            "vault://secret/app/password",
            "op://vault/item/field",
            "op://Private/7xk2q5mzv3bq/credential",
            "ref+awsssm://app/db",
            "ssm:/app/prod/db_password",
            "file:/run/secrets/db",
            "file:///run/secrets/db",
            "keyvault:app-db-password",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1B2c3",
            "projects/app/secrets/db/versions/latest",
            "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/db/)",
            "process.env.DB_PASSWORD",
            "process.env['DB_PASSWORD']",
            "os.environ[\"DB_PASSWORD\"]",
            "os.getenv('DB_PASSWORD')",
            "ENV[\"DB_PASSWORD\"]",
            "env(\"DB_PASSWORD\")",
            "std::env::var(\"DB_PASSWORD\")",
            "secrets.DB_PASSWORD",
            "%(DB_PASSWORD)s",
            "@@DB_PASSWORD@@",
            "__DB_PASSWORD__",
            "secretKeyRef:db/password",
            "secret(db_password)",
            "ref:secrets/db",
            "gcp:projects/app/secrets/db",
            "ext:/scripts/auth1.sh",
            "pullsecret:argocd/registry",
            "/etc/passwd",
            "/run/secrets/db_password",
            "~/.ssh/id_rsa",
            "./certs/server.key",
            "C:\\certs\\app.pfx",
        ] {
            assert!(is_reference(value), "{value}");
        }
    }

    #[test]
    fn what_holds_anything_of_the_value_is_none() {
        for value in [
            "sunshine",
            "$unshine",
            "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "${DB_PASSWORD:-sunshine}",
            "${DB_PASSWORD-sunshine}",
            "{{ password | default('sunshine') }}",
            "{{ 'sunshine' }}",
            "$(echo sunshine)",
            "$(openssl passwd sunshine)",
            "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zo",
            "env:a8Kd02mZq91LxV",
            "pass:sunshine",
            "%a8Kd02mZq91LxV%",
            "%env(a8Kd02mZq91LxV)%",
            "__sunshine__",
            "@sunshine@",
            "secret:sunshine",
            "vault:sunshine",
            "aws:sunshine",
            "$(cat x; echo sunshine)",
            "op:",
            "op://",
            "/aB3xK9/qLm2Zt8",
            "/sun/shine",
            "file",
            "process.env",
            "env.a8Kd02mZq91LxV",
            "postgres://app:sunshine@db",
            "vault://app:sunshine@db",
            "C:\\a8Kd02mZq91LxV",
            "~/sunshine",
            "./a8Kd02mZq91LxV",
        ] {
            assert!(!is_reference(value), "{value}");
        }
    }
}
