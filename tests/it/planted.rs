//! Made-up secrets of many kinds, in the providers' shapes. Drawn at run time from a fixed seed, so that no scanner
//! takes this repository for a leak and every run plants the same.

/// A secret, and how it is written down where it stands.
#[derive(Debug, Clone)]
pub struct Planted {
    pub kind: &'static str,
    /// What it is assigned to; says nothing where the secret's form is telling enough.
    pub name: &'static str,
    /// The secret with what belongs to it: an address, a scheme.
    pub written: String,
    pub secret: String,
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LETTERS: &str = "BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwxz";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &str = "0123456789abcdef";
const DIGITS: &str = "123456789";

/// Kind, name, what the token begins with, and its runs: literal text, or an alphabet and a length.
type Form = (&'static str, &'static str, &'static [Piece]);

#[derive(Clone, Copy)]
enum Piece {
    Is(&'static str),
    Of(&'static str, usize),
}
use Piece::{Is, Of};

const NO_NAME: &str = "value";

/// Secrets that are known by their form.
#[rustfmt::skip]
const SHAPED: &[Form] = &[
    ("aws", NO_NAME, &[Is("AKIA"), Of(UPPER, 16)]),
    ("google", NO_NAME, &[Is("AIza"), Of(ALNUM, 35)]),
    ("google oauth", NO_NAME, &[Is("GOCSPX-"), Of(ALNUM, 28)]),
    ("digitalocean", NO_NAME, &[Is("dop_v1_"), Of(HEX, 64)]),
    ("heroku", NO_NAME, &[Is("HRKU-AA"), Of(ALNUM, 58)]),
    ("cloudflare", NO_NAME, &[Is("v1.0-"), Of(HEX, 24), Is("-"), Of(HEX, 146)]),
    ("netlify", NO_NAME, &[Is("nfp_"), Of(ALNUM, 36)]),
    ("fly", NO_NAME, &[Is("fo1_"), Of(ALNUM, 43)]),
    ("databricks", NO_NAME, &[Is("dapi"), Of(HEX, 32)]),
    ("planetscale", NO_NAME, &[Is("pscale_tkn_"), Of(ALNUM, 43)]),
    ("supabase", NO_NAME, &[Is("sbp_"), Of(HEX, 40)]),
    ("github", NO_NAME, &[Is("ghp_"), Of(ALNUM, 36)]),
    ("github fine", NO_NAME, &[Is("github_pat_"), Of(ALNUM, 22), Is("_"), Of(ALNUM, 59)]),
    ("gitlab", NO_NAME, &[Is("glpat-"), Of(ALNUM, 20)]),
    ("gitlab runner", NO_NAME, &[Is("GR1348941"), Of(ALNUM, 20)]),
    ("bitbucket", NO_NAME, &[Is("ATBB"), Of(ALNUM, 32)]),
    ("npm", NO_NAME, &[Is("npm_"), Of(ALNUM, 36)]),
    ("pypi", NO_NAME, &[Is("pypi-AgEIcHlwaS5vcmc"), Of(ALNUM, 70)]),
    ("rubygems", NO_NAME, &[Is("rubygems_"), Of(HEX, 48)]),
    ("crates.io", NO_NAME, &[Is("cio"), Of(ALNUM, 32)]),
    ("nuget", NO_NAME, &[Is("oy2"), Of(LOWER, 43)]),
    ("docker hub", NO_NAME, &[Is("dckr_pat_"), Of(ALNUM, 27)]),
    ("artifactory", NO_NAME, &[Is("AKCp"), Of(ALNUM, 69)]),
    ("postman", NO_NAME, &[Is("PMAK-"), Of(HEX, 24), Is("-"), Of(HEX, 34)]),
    ("vault", NO_NAME, &[Is("hvs."), Of(ALNUM, 90)]),
    ("terraform", NO_NAME, &[Of(ALNUM, 14), Is(".atlasv1."), Of(ALNUM, 67)]),
    ("age", NO_NAME, &[Is("AGE-SECRET-KEY-1"), Of(UPPER, 58)]),
    ("1password", NO_NAME, &[Is("ops_eyJ"), Of(ALNUM, 250)]),
    ("doppler", NO_NAME, &[Is("dp.pt."), Of(ALNUM, 43)]),
    ("pulumi", NO_NAME, &[Is("pul-"), Of(HEX, 40)]),
    ("slack", NO_NAME, &[Is("xoxb-"), Of(DIGITS, 12), Is("-"), Of(DIGITS, 12), Is("-"), Of(ALNUM, 24)]),
    ("telegram", NO_NAME, &[Of(DIGITS, 9), Is(":AA"), Of(ALNUM, 33)]),
    ("linear", NO_NAME, &[Is("lin_api_"), Of(ALNUM, 40)]),
    ("notion", NO_NAME, &[Is("ntn_"), Of(DIGITS, 11), Of(ALNUM, 35)]),
    ("atlassian", NO_NAME, &[Is("ATATT3"), Of(ALNUM, 186)]),
    ("airtable", NO_NAME, &[Is("pat"), Of(ALNUM, 14), Is("."), Of(HEX, 64)]),
    ("figma", NO_NAME, &[Is("figd_"), Of(ALNUM, 40)]),
    ("sendgrid", NO_NAME, &[Is("SG."), Of(ALNUM, 22), Is("."), Of(ALNUM, 43)]),
    ("mailgun", NO_NAME, &[Is("key-"), Of(HEX, 32)]),
    ("mailchimp", NO_NAME, &[Of(HEX, 32), Is("-us12")]),
    ("brevo", NO_NAME, &[Is("xkeysib-"), Of(HEX, 64), Is("-"), Of(ALNUM, 16)]),
    ("twilio", NO_NAME, &[Is("SK"), Of(HEX, 32)]),
    ("bcrypt", NO_NAME, &[Is("$2b$12$"), Of(ALNUM, 53)]),
    ("stripe", NO_NAME, &[Is("sk_live_"), Of(ALNUM, 24)]),
    ("square", NO_NAME, &[Is("sq0atp-"), Of(ALNUM, 22)]),
    ("shopify", NO_NAME, &[Is("shpat_"), Of(HEX, 32)]),
    ("braintree", NO_NAME, &[Is("access_token$production$"), Of(LOWER, 16), Is("$"), Of(HEX, 32)]),
    ("new relic", NO_NAME, &[Is("NRAK-"), Of(UPPER, 27)]),
    ("sentry", NO_NAME, &[Is("sntryu_"), Of(HEX, 64)]),
    ("grafana", NO_NAME, &[Is("glsa_"), Of(ALNUM, 32), Is("_"), Of(HEX, 8)]),
    ("grafana cloud", NO_NAME, &[Is("glc_"), Of(ALNUM, 80)]),
    ("dynatrace", NO_NAME, &[Is("dt0c01."), Of(UPPER, 24), Is("."), Of(UPPER, 64)]),
    ("openai", NO_NAME, &[Is("sk-proj-"), Of(ALNUM, 74), Is("T3BlbkFJ"), Of(ALNUM, 74)]),
    ("anthropic", NO_NAME, &[Is("sk-ant-api03-"), Of(ALNUM, 93), Is("AA")]),
    ("groq", NO_NAME, &[Is("gsk_"), Of(ALNUM, 52)]),
    ("huggingface", NO_NAME, &[Is("hf_"), Of(ALNUM, 34)]),
    ("replicate", NO_NAME, &[Is("r8_"), Of(ALNUM, 37)]),
    ("perplexity", NO_NAME, &[Is("pplx-"), Of(ALNUM, 48)]),
    ("azure secret", NO_NAME, &[Of(ALNUM, 3), Is("8Q~"), Of(ALNUM, 34)]),
    ("jwt", NO_NAME, &[Is("eyJ"), Of(ALNUM, 30), Is(".eyJ"), Of(ALNUM, 60), Is("."), Of(ALNUM, 43)]),
    ("maxmind", NO_NAME, &[Of(ALNUM, 6), Is("_"), Of(ALNUM, 29), Is("_mmk")]),
    ("octopus", NO_NAME, &[Is("API-"), Of(UPPER, 26)]),
    ("1password secret key", NO_NAME, &[Is("A3-"), Of(UPPER, 6), Is("-"), Of(UPPER, 11), Is("-"), Of(UPPER, 5), Is("-"), Of(UPPER, 5), Is("-"), Of(UPPER, 5)]),
    ("bedrock", NO_NAME, &[Is("ABSK"), Of(ALNUM, 128)]),
    ("vault before 1.10", NO_NAME, &[Is("s."), Of(ALNUM, 24)]),
    ("facebook app", NO_NAME, &[Of(DIGITS, 16), Is("|"), Of(ALNUM, 27)]),
    ("stripe of letters", NO_NAME, &[Is("sk_live_"), Of(LETTERS, 24)]),
    ("settlemint of letters", NO_NAME, &[Is("sm_pat_"), Of(LETTERS, 16)]),
    ("yandex", NO_NAME, &[Is("YC"), Of(ALNUM, 38)]),
    ("authress", NO_NAME, &[Is("sc_"), Of(LOWER, 12), Is("."), Of(LOWER, 4), Is(".acc_"), Of(LOWER, 12), Is("."), Of(ALNUM, 44)]),
    ("hubspot app", NO_NAME, &[Is("pat-na1-"), Of(HEX, 8), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 12)]),
    ("stripe client", NO_NAME, &[Is("pi_3"), Of(ALNUM, 23), Is("_secret_"), Of(ALNUM, 25)]),
    ("salesforce", NO_NAME, &[Is("00D"), Of(ALNUM, 15), Is("!AQ"), Of(ALNUM, 90)]),
    ("zoho", NO_NAME, &[Is("1000."), Of(HEX, 32), Is("."), Of(HEX, 32)]),
    ("pinecone", NO_NAME, &[Is("pcsk_"), Of(ALNUM, 6), Is("_"), Of(ALNUM, 63)]),
    ("klaviyo", NO_NAME, &[Is("pk_"), Of(HEX, 34)]),
    ("apify", NO_NAME, &[Is("apify_api_"), Of(ALNUM, 36)]),
    ("bitbucket data center", NO_NAME, &[Is("BBDC-"), Of(ALNUM, 44)]),
    ("discord bot", NO_NAME, &[Is("MTk4NjIyNDgzNDcxOTI1MjQ4."), Of(ALNUM, 6), Is("."), Of(ALNUM, 38)]),
];

/// Secrets that are known by the name beside them.
#[rustfmt::skip]
const NAMED: &[Form] = &[
    ("aws secret", "aws_secret_access_key", &[Of(BASE64, 40)]),
    ("datadog", "DATADOG_APP", &[Of(HEX, 40)]),
    ("heroku legacy", "HEROKU_API_KEY", &[Of(HEX, 8), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 12)]),
    ("cloudflare token", "CLOUDFLARE_TOKEN", &[Of(ALNUM, 40)]),
    ("fastly", "FASTLY_KEY", &[Of(ALNUM, 32)]),
    ("vercel", "VERCEL_TOKEN", &[Of(ALNUM, 24)]),
    ("okta", "OKTA_TOKEN", &[Is("00"), Of(ALNUM, 40)]),
    ("auth0", "AUTH0_CLIENT_SECRET", &[Of(ALNUM, 64)]),
    ("cohere", "COHERE_KEY", &[Of(ALNUM, 40)]),
    ("asana", "asana_secret", &[Of(HEX, 32)]),
    ("discord client", "discord_client", &[Of(ALNUM, 32)]),
    ("paypal", "PAYPAL_CLIENT_SECRET", &[Of(ALNUM, 80)]),
    ("twitter", "TWITTER_ACCESS", &[Of(DIGITS, 19), Is("-"), Of(ALNUM, 30)]),
    ("linkedin", "linkedIn", &[Of(ALNUM, 16)]),
    ("dropbox", "dropbox_key", &[Of(LETTERS, 15)]),
    ("sidekiq", "BUNDLE_GEMS__CONTRIBSYS__COM", &[Of(HEX, 8), Is(":"), Of(HEX, 8)]),
    ("lob", "LOB", &[Is("live_"), Of(HEX, 35)]),
    ("weak name", "key", &[Of(ALNUM, 32)]),
    ("a name in a name", "mysecretstring", &[Of(ALNUM, 32)]),
    ("token of letters", "service_token", &[Of(LETTERS, 24)]),
    ("npmrc", "_authToken", &[Of(HEX, 8), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 4), Is("-"), Of(HEX, 12)]),
    ("password", "DB_PASSWORD", &[Of(ALNUM, 9), Is("!7x")]),
    ("api key", "api_key", &[Of(ALNUM, 32)]),
    ("signing key", "signing_key", &[Of(BASE64, 44)]),
    ("kubeconfig", "client-key-data", &[Is("LS0tLS1CRUdJTiBS"), Of(ALNUM, 100)]),
];

/// What stands before and after a secret that is known by its surroundings.
#[rustfmt::skip]
const SURROUNDED: &[(&str, &str, &[Piece], &str)] = &[
    ("url password", "postgres://app:", &[Of(ALNUM, 12), Is("-9z")], "@db.example.com/prod"),
    ("url token", "https://", &[Of(ALNUM, 40), Is("7")], "@host.example.com/x.git"),
    ("slack webhook", "https://hooks.slack.com/services/", &[Is("T"), Of(UPPER, 8), Is("/B"), Of(UPPER, 8), Is("/"), Of(ALNUM, 23), Is("1")], ""),
    ("discord webhook", "https://discord.com/api/webhooks/", &[Of(DIGITS, 18), Is("/"), Of(ALNUM, 68)], ""),
    ("azure storage", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=", &[Of(BASE64, 86), Is("==")], ";EndpointSuffix=core.windows.net"),
    ("azure sas", "https://x.blob.core.windows.net/c?sv=2022-11-02&sig=", &[Of(ALNUM, 43), Is("%3D")], "&se=2030-01-01"),
    ("connection string", "Server=db;User Id=sa;Password=", &[Of(ALNUM, 10), Is("4q")], ";Encrypt=true"),
    ("bearer", "Authorization: Bearer ", &[Of(ALNUM, 32), Is("3")], ""),
    ("basic", "Authorization: Basic ", &[Of(ALNUM, 26), Is("5=")], ""),
    ("curl user", "curl -u admin:", &[Of(ALNUM, 12)], " https://example.com"),
    ("curl over lines", "curl https://example.com \\\n  -u admin:", &[Of(ALNUM, 12)], ""),
    ("curl key", "curl https://example.com -u ", &[Of(ALNUM, 24)], ": -d x=1"),
    ("api token", "Authorization: Api-Token ", &[Of(ALNUM, 32)], ""),
    ("sshpass", "sshpass -p ", &[Of(ALNUM, 12)], " ssh me@example.com"),
    ("netrc", "machine example.com login me password ", &[Of(ALNUM, 12)], ""),
];

/// One of each kind; `seed` draws other ones.
pub fn planted(seed: u64) -> Vec<Planted> {
    let mut draw = Draw(seed.wrapping_add(99));
    let mut all = Vec::new();
    for (kind, name, pieces) in SHAPED.iter().chain(NAMED) {
        let secret = draw.token(pieces);
        all.push(Planted { kind, name, written: secret.clone(), secret });
    }
    for (kind, before, pieces, after) in SURROUNDED {
        let secret = draw.token(pieces);
        all.push(Planted { kind, name: NO_NAME, written: format!("{before}{secret}{after}"), secret });
    }
    all
}

impl Planted {
    /// Whether the secret is known without a name beside it.
    pub fn stands_alone(&self) -> bool {
        self.name == NO_NAME
    }

    /// What is written, cut in the middle of the secret.
    pub fn halves(&self) -> (&str, &str) {
        let start = self.written.find(&self.secret).unwrap_or(0);
        self.written.split_at(start + self.secret.len() / 2)
    }
}

/// Numbers from a seed: these are no secrets of anybody's.
struct Draw(u64);

impl Draw {
    fn token(&mut self, pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece {
            Is(text) => (*text).to_owned(),
            Of(alphabet, length) => self.run(alphabet, *length),
        };
        pieces.iter().map(piece).collect()
    }

    fn run(&mut self, alphabet: &str, length: usize) -> String {
        let mut run: String = (0..length).map(|_| self.one(alphabet)).collect();
        // All classes are in a real one of some length, too.
        if length >= 12 && alphabet == ALNUM {
            run.replace_range(length - 3.., "aZ7");
        }
        run
    }

    fn one(&mut self, alphabet: &str) -> char {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let n = usize::try_from(self.0 >> 33).unwrap_or(0) % alphabet.len();
        char::from(alphabet.as_bytes()[n])
    }
}
