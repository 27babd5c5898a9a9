//! Bots by the names that configurations have for them: `$SearchBots` in `match_ua`.

/// A bot, known by a product token in its user agent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agent {
    name: &'static str,
    /// In lower case.
    token: &'static str,
    form: Form,
}

/// What else the user agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    /// There is no `Mobile` in it.
    Desktop,
    Mobile,
}

const fn bot(name: &'static str, token: &'static str) -> Agent {
    Agent { name, token, form: Form::Any }
}

/// Names of single bots. A name with several bots stands several times.
const BOTS: &[Agent] = &[
    Agent { name: "GooglebotSearchDesktop", token: "googlebot", form: Form::Desktop },
    Agent { name: "GooglebotSearchMobile", token: "googlebot", form: Form::Mobile },
    Agent { name: "BingbotDesktop", token: "bingbot", form: Form::Desktop },
    Agent { name: "BingbotMobile", token: "bingbot", form: Form::Mobile },
    bot("ChatGPTUserBot", "chatgpt-user"),
    bot("ChatGPTTrainingBot", "gptbot"),
    bot("OpenAISearchBot", "oai-searchbot"),
    bot("PerplexityBot", "perplexitybot"),
    bot("PerplexityUserBot", "perplexity-user"),
    bot("AnthropicBot", "claudebot"),
    bot("AnthropicUserBot", "claude-user"),
    bot("AnthropicSearchBot", "claude-searchbot"),
    bot("Amazonbot", "amazonbot"),
    bot("AmazonUser", "amzn-user"),
    bot("GoogleBotAds", "adsbot-google"),
    bot("GoogleBotAdsMobileWeb", "adsbot-google-mobile"),
    bot("Messengers", "whatsapp"),
    bot("Messengers", "telegrambot"),
    bot("Messengers", "viber"),
    bot("Messengers", "slackbot"),
    bot("Messengers", "slackbot-linkexpanding"),
    bot("Messengers", "discordbot"),
    bot("Messengers", "skypeuripreview"),
    bot("Messengers", "snap url preview service"),
    bot("Socials", "facebookexternalhit"),
    bot("Socials", "facebookcatalog"),
    bot("Socials", "facebot"),
    bot("Socials", "twitterbot"),
    bot("Socials", "linkedinbot"),
    bot("Socials", "pinterestbot"),
    bot("Socials", "pinterest"),
    bot("Socials", "redditbot"),
    bot("Socials", "vkshare"),
    bot("Socials", "applebot"),
];

/// Names of several bots that have names of their own.
const GROUPS: [(&str, &[&str]); 2] = [
    ("SearchBots", &["GooglebotSearchDesktop", "GooglebotSearchMobile", "BingbotDesktop", "BingbotMobile"]),
    (
        "AIBots",
        &[
            "ChatGPTUserBot",
            "ChatGPTTrainingBot",
            "OpenAISearchBot",
            "PerplexityBot",
            "PerplexityUserBot",
            "AnthropicBot",
            "AnthropicUserBot",
            "AnthropicSearchBot",
            "Amazonbot",
            "AmazonUser",
        ],
    ),
];

/// The bots that a name means; none when it means nothing.
pub(super) fn named(name: &str) -> Option<Vec<&'static Agent>> {
    let group = GROUPS.iter().find(|(group, _)| *group == name);
    let meant = |bot: &&Agent| group.map_or(bot.name == name, |(_, names)| names.contains(&bot.name));
    let bots: Vec<_> = BOTS.iter().filter(meant).collect();
    (!bots.is_empty()).then_some(bots)
}

impl Agent {
    /// Whether a user agent, in lower case, is of this bot.
    pub(super) fn is(&self, agent: &str) -> bool {
        let form = match self.form {
            Form::Any => true,
            Form::Desktop => !agent.contains("mobile"),
            Form::Mobile => agent.contains("mobile"),
        };
        form && has_token(agent, self.token)
    }
}

/// Whether a product token stands in a text by itself: `googlebot` is not in `googlebot-image`.
fn has_token(text: &str, token: &str) -> bool {
    let of_a_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, token.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + token.len());
        !before.is_some_and(of_a_token) && !after.is_some_and(of_a_token)
    })
}
