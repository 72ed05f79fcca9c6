//! The sections of the settings as forms.

use serde_json::Value;

use super::Typed;
use crate::error::Error;
use crate::settings::{Kind, Policy, Section, Setting};
use crate::web::views::admin::settings::{Control, SectionForm, SettingField};

/// A section with what is set, or what was typed.
pub(super) fn form(section: Section, policy: &Policy, typed: &Typed) -> Result<SectionForm, Error> {
    let internal = |error: serde_json::Error| Error::internal(error.into());
    let values = policy.values().map_err(internal)?;
    let (title, summary) = match section {
        Section::Account => (
            "Account and limit",
            "What tokens look like, how long they live, and how long people stay signed in.",
        ),
        Section::Access => (
            "Visibility and access",
            "Who can sign up, and what new groups and projects begin with.",
        ),
        Section::Code => ("Repositories", "What may be pushed."),
        Section::Mail => ("Mail", "Who is told before tokens end."),
        Section::Network => ("Network", "Rate limits, and where webhooks may go."),
    };
    let fields = Setting::of(section)
        .map(|setting| {
            let saved = values.get(setting.key).map(text_of).unwrap_or_default();
            let typed_text = typed.texts.get(setting.key);
            SettingField {
                key: setting.key,
                label: setting.label,
                help: setting.help,
                takes: takes(setting),
                control: control(setting, typed_text.unwrap_or(&saved)),
                meanwhile: typed_text
                    .filter(|text| {
                        typed.conflict
                            && setting.read(text).ok().as_ref() != values.get(setting.key)
                    })
                    .map(|_| {
                        if saved.is_empty() {
                            "nothing".into()
                        } else {
                            saved.clone()
                        }
                    }),
            }
        })
        .collect();
    Ok(SectionForm {
        name: section.name(),
        title,
        summary,
        stamp: policy.stamp(section).map_err(internal)?,
        advice: Vec::new(),
        facts: Vec::new(),
        fields,
    })
}

fn control(setting: &Setting, text: &str) -> Control {
    let number = |least, most| Control::Number {
        value: text.into(),
        least,
        most,
    };
    match setting.kind {
        Kind::Switch => Control::Switch(text == "true"),
        Kind::Number { least, most, .. } => number(least, most),
        Kind::Lifetime => number(1, 400),
        Kind::Prefix => Control::Line(text.into()),
        Kind::Domains => Control::Lines(text.into()),
        Kind::Choice(words) => Control::Choice(
            words
                .iter()
                .map(|(word, label)| (*word, *label, *word == text))
                .collect(),
        ),
    }
}

/// A sentence where the form doesn't show it.
fn takes(setting: &Setting) -> String {
    match setting.kind {
        Kind::Number { .. } | Kind::Lifetime | Kind::Prefix => {
            let takes = setting.takes();
            let mut letters = takes.chars();
            match letters.next() {
                Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
                None => takes,
            }
        }
        Kind::Switch | Kind::Choice(_) | Kind::Domains => String::new(),
    }
}

/// As the form has it, and takes it back.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(text_of).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_shows_is_what_it_takes_back() {
        let mut policy = Policy::default();
        policy.settings.domain_allowlist = vec!["a.org".into(), "*.b.org".into()];
        policy.settings.max_personal_access_token_lifetime = Some(90);
        let values = policy.values().unwrap();
        for (key, value) in &values {
            let setting = Setting::find(key).unwrap();
            assert_eq!(setting.read(&text_of(value)).as_ref(), Ok(value), "{key}");
        }
    }
}
