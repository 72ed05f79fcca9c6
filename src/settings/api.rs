//! `/api/v4/application/settings`.

use serde_json::json;

use super::change::{self, Changes};
use super::{Kind, Policy, SETTINGS, Setting, Settings, store};
use crate::error::{Error, FieldErrors};
use crate::permissions::Right;
use crate::web::api::{ApiCall, Shown};
use crate::web::params::{Checked, Parameters, Reader};

/// `GET /application/settings`. Administrators.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub async fn show(call: ApiCall) -> Result<Shown<Settings>, Error> {
    let policy = call
        .read(|conn, ctx| {
            if ctx.actor.may_on_instance(Right::Administer) {
                store::load(conn)
            } else {
                Err(Error::forbidden())
            }
        })
        .await?;
    Ok(Shown(policy.settings))
}

/// `PUT /application/settings`. Administrators. All that is sent is changed, or nothing.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else, [`Error::Invalid`] by setting.
pub async fn update(call: ApiCall, asked: Wanted) -> Result<Shown<Settings>, Error> {
    let policy = call
        .write(move |conn, ctx| {
            if !ctx.actor.may_on_instance(Right::Administer) {
                return Err(Error::forbidden());
            }
            change::save(conn, ctx, &asked.checked()?, None)
        })
        .await?;
    call.app.jobs_waiting.notify_one();
    Ok(Shown(policy.settings))
}

/// What was sent, each of the type of its setting; whether it is in its range is said in the words of the setting.
#[derive(Debug, Clone)]
pub struct Wanted(Vec<(&'static Setting, serde_json::Value)>);

impl Wanted {
    fn checked(&self) -> Result<Changes, Error> {
        let mut errors = FieldErrors::default();
        let mut changes = Changes::default();
        for (setting, value) in &self.0 {
            match setting.check(value.clone()) {
                Ok(value) => changes.set(setting, value),
                Err(why) => errors.add(setting.key, why),
            }
        }
        errors.check()?;
        Ok(changes)
    }
}

impl Parameters for Wanted {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let sent: Vec<Checked<Option<serde_json::Value>>> = SETTINGS
            .iter()
            .map(|setting| sent(params, setting))
            .collect();
        let mut wanted = Vec::new();
        for (setting, value) in SETTINGS.iter().zip(sent) {
            wanted.extend(value?.map(|value| (setting, value)));
        }
        Ok(Wanted(wanted))
    }
}

/// The value that was sent for a setting. What is blank means nothing, where that can be meant, or is refused.
fn sent(params: &mut Reader<'_>, setting: &Setting) -> Checked<Option<serde_json::Value>> {
    let key = setting.key;
    let value = match setting.kind {
        Kind::Switch => params.boolean(key)?.map(|on| json!(on)),
        Kind::Number { .. } | Kind::Lifetime => params.integer(key)?.map(|number| json!(number)),
        Kind::Prefix => params.text(key)?.map(|text| json!(text)),
        Kind::Choice(words) => {
            let offered: Vec<(&'static str, &'static str)> =
                words.iter().map(|(word, _)| (*word, *word)).collect();
            params.choice(key, &offered)?.map(|word| json!(word))
        }
        Kind::Domains => params.texts(key)?.map(|texts| json!(texts)),
    };
    Ok(value.or(params.is_blanked(key).then_some(serde_json::Value::Null)))
}
