//! The page with both lists and the form.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use chrono::{DateTime, Utc};

use super::super::ListedToken;
use super::super::scope::Scope;
use super::super::statistics::{self, Statistics};
use super::super::unused::Span;
use super::address::{EndedBy, Listing};
use super::export;
use super::form::{self, Draft};
use super::holder::{Asked, Holder};
use super::rows::{self, Offers};
use crate::context::Context;
use crate::db::{COUNTED_AT_MOST, DbConnection, Page, Total};
use crate::error::Error;
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::web::lists::{foot, grouped, page_or_last, total};
use crate::web::page::PageCall;
use crate::web::views::access_tokens::{
    ActiveTokens, Creation, InactiveTokens, OneTimeToken, Statistic, TokenFilter, TokenPage,
    active_columns, inactive_columns,
};
use crate::web::views::components::{Choice, Loaded};
use crate::web::views::dates::clock;
use crate::web::views::forms::FormErrors;

/// The status of a page whose form was not taken.
pub(super) const NOT_TAKEN: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// What the page has to say besides its lists.
pub(super) enum News {
    /// Here is the value.
    Created(OneTimeToken),
    /// This form was used at that time.
    Replayed(DateTime<Utc>),
    /// The form can't be taken.
    Errors(Draft, FormErrors),
    /// Nothing new can be made or rotated here.
    SwitchedOff,
}

/// Answers with the page, as the address asks for it.
pub(super) async fn show(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let fills_form = Draft::is_filled_by(&call.query);
    let has_role = !matches!(asked, Asked::Person);
    let listing = Listing::parse(&call.query, has_role, fills_form);
    let wanted = listing.clone();
    let (holder, numbers, lists) = call
        .read(move |conn, ctx| {
            let (holder, numbers) = asked.find_with_statistics(conn, ctx)?;
            let lists = Lists::load(conn, ctx, &holder, &wanted)?;
            Ok((holder, numbers, lists))
        })
        .await?;
    let ctx = &call.ctx;
    let draft = Draft::prefilled(&call.query, ctx.policy.limits(), ctx.today());
    let status = lists.status();
    let scene = Scene {
        call,
        holder: &holder,
        listing: &listing,
        numbers: Some(numbers),
    };
    let mut res = call.render(status, &scene.page(lists, draft, FormErrors::none(), None))?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        res.headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    Ok(res)
}

/// Answers a form with the page, as it is afterwards.
pub(super) async fn after(
    call: &PageCall,
    asked: Asked,
    holder: Holder,
    news: News,
) -> Result<HttpResponse, Error> {
    let listing = Listing::default();
    let wanted = listing.clone();
    let read = call
        .read(move |conn, ctx| {
            let (holder, numbers) = asked.find_with_statistics(conn, ctx)?;
            let lists = Lists::load(conn, ctx, &holder, &wanted)?;
            Ok((holder, Some(numbers), lists))
        })
        .await;
    let (holder, numbers, lists) = match read {
        Ok(read) => read,
        // The value is in our hands and nowhere else: it is shown, whatever happened meanwhile.
        Err(error) if matches!(news, News::Created(_)) => {
            note(&error);
            (
                holder,
                None,
                Lists {
                    active: Err(Unread),
                    inactive: None,
                },
            )
        }
        Err(error) => return Err(error),
    };
    let blank = || Draft::blank(call.ctx.policy.limits(), call.ctx.today());
    let (status, draft, errors, told) = match news {
        News::Errors(draft, errors) => (NOT_TAKEN, draft, errors, None),
        News::SwitchedOff => (NOT_TAKEN, blank(), FormErrors::none(), None),
        told => (StatusCode::OK, blank(), FormErrors::none(), Some(told)),
    };
    let scene = Scene {
        call,
        holder: &holder,
        listing: &listing,
        numbers,
    };
    call.render(status, &scene.page(lists, draft, errors, told))
}

/// A list that could not be read; the log knows why.
struct Unread;

/// Both lists, each on its own page.
struct Lists {
    active: Result<Page<ListedToken>, Unread>,
    inactive: Option<Result<Page<ListedToken>, Unread>>,
}

impl Lists {
    /// One query for each list that the holder has.
    fn load(
        conn: &mut DbConnection,
        ctx: &Context,
        holder: &Holder,
        listing: &Listing,
    ) -> Result<Self, Error> {
        let (query, request) = listing.active(ctx.now);
        let active = contained(page_or_last(request, |request| {
            holder.list(conn, ctx, &query, request)
        }))?;
        let inactive = if holder.keeps_ended(ctx) {
            let day = matches!(holder, Holder::Resource(_)).then(|| ctx.today());
            let (query, request) = listing.inactive(day);
            Some(contained(page_or_last(request, |request| {
                holder.list(conn, ctx, &query, request)
            }))?)
        } else {
            None
        };
        Ok(Lists { active, inactive })
    }

    fn status(&self) -> StatusCode {
        if self.active.is_err() || matches!(self.inactive, Some(Err(_))) {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }
    }
}

/// The page says in place that a list could not be read; the rest of it still serves.
fn contained<T>(read: Result<T, Error>) -> Result<Result<T, Unread>, Error> {
    match read {
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => {
            note(&error);
            Ok(Err(Unread))
        }
        other => other.map(Ok),
    }
}

fn note(error: &Error) {
    use std::error::Error as _;
    let cause = error
        .source()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    tracing::error!(error = %format!("{error}{cause}"), "A list of tokens could not be read");
}

/// What everything on the page depends on.
struct Scene<'a> {
    call: &'a PageCall,
    holder: &'a Holder,
    listing: &'a Listing,
    /// How many tokens there are; nothing if nobody could count them.
    numbers: Option<Statistics>,
}

impl Scene<'_> {
    fn page(
        &self,
        lists: Lists,
        draft: Draft,
        errors: FormErrors,
        told: Option<News>,
    ) -> TokenPage {
        let (created, replayed) = match told {
            Some(News::Created(value)) => (Some(value), None),
            Some(News::Replayed(at)) => (None, Some(clock(at, self.call.ctx.now))),
            _ => (None, None),
        };
        TokenPage {
            shell: self.holder.shell(self.call),
            kind: self.holder.kind(),
            path: self.holder.path(),
            created,
            replayed,
            statistics: self.statistics(),
            calendar_href: self.holder.calendar_href(),
            inventory_href: self.holder.inventory_href(&self.call.ctx),
            csv_href: self.csv_href(),
            creation: self.creation(draft, errors),
            filter: self.filter(),
            active: self.loaded(lists.active, |page| self.active(page)),
            inactive: lists
                .inactive
                .map(|list| self.loaded(list, |page| self.inactive(page))),
        }
    }

    /// The file of what the lists have on all their pages.
    fn csv_href(&self) -> Option<String> {
        let path = format!("{}/{}", self.holder.path(), export::FILE);
        matches!(self.holder, Holder::Resource(_)).then(|| {
            self.listing.href(&path, |there| {
                there.page = 1;
                there.inactive_page = 1;
                there.sort.clear();
                there.inactive_sort.clear();
            })
        })
    }

    /// The cards above the lists; each leads to what it counts.
    fn statistics(&self) -> Vec<Statistic> {
        let Some(numbers) = self.numbers else {
            return Vec::new();
        };
        let (ctx, path) = (&self.call.ctx, self.holder.path());
        let href = |change: &dyn Fn(&mut Listing)| Listing::default().href(&path, change);
        let card = |name, caption, number, href, warns| Statistic {
            name,
            caption,
            number: total(number),
            href,
            warns: warns && number != Total::Counted(0),
        };
        let near = statistics::near(ctx.today());
        let mut cards = vec![
            card("active", "Active", numbers.active, href(&|_| ()), false),
            card(
                "expiring",
                "Expiring in 14 days",
                numbers.expiring,
                href(&|there| there.expires_before = Some(near)),
                true,
            ),
        ];
        if self.holder.keeps_ended(ctx) {
            for (caption, number, ended) in [
                ("Expired", numbers.expired, EndedBy::Date),
                ("Revoked", numbers.revoked, EndedBy::Revocation),
            ] {
                let href = href(&|there| there.ended = Some(ended));
                let href = format!("{href}#inactive-title");
                cards.push(card(ended.word(), caption, number, href, false));
            }
        }
        cards
    }

    fn creation(&self, draft: Draft, errors: FormErrors) -> Creation {
        let ctx = &self.call.ctx;
        if self.holder.lacks_plan(ctx) {
            return Creation::Refused(
                "The plan of the top-level group doesn't include new tokens. Existing tokens can still be used and managed."
                    .into(),
            );
        }
        if self.holder.is_switched_off(ctx) {
            return Creation::Disabled {
                settings_href: self.holder.switch_href(ctx),
            };
        }
        if !self.holder.allows(Right::CreateToken, ctx) {
            return match self.holder {
                Holder::Resource(_) => Creation::NotOffered,
                Holder::Person(_) => {
                    Creation::Refused("Access tokens are turned off on this instance.".into())
                }
            };
        }
        let total = self.numbers.map(|numbers| numbers.active);
        let limit = i64::from(ctx.policy.settings.active_tokens_per_group);
        if matches!(self.holder, Holder::Resource(_))
            && total.is_some_and(|total| reaches(total, limit))
        {
            return Creation::Refused(format!(
                "Limit of {} active tokens reached.",
                grouped(limit)
            ));
        }
        Creation::Allowed(Box::new(form::view(self.holder, ctx, draft, errors)))
    }

    fn filter(&self) -> TokenFilter {
        let role = self
            .listing
            .role
            .map(|level| level.number().to_string())
            .unwrap_or_default();
        let scope = self.listing.scope.map(Scope::name).unwrap_or_default();
        let any = |chosen: &str| std::iter::once(Choice::new("", "Any", chosen));
        let roles = AccessLevel::ALL
            .into_iter()
            .map(|level| Choice::new(level.number().to_string(), level.name(), &role));
        let scopes = self.holder.scopes(&self.call.ctx);
        let scopes = scopes
            .into_iter()
            .map(|offered| Choice::new(offered.name(), offered.name(), scope));
        let unused = self
            .listing
            .unused
            .map(|span| span.days().to_string())
            .unwrap_or_default();
        let spans = Span::ALL.into_iter().map(|span| {
            let days = span.days().to_string();
            Choice::new(days.clone(), format!("{days} days"), &unused)
        });
        TokenFilter {
            search: self.listing.search.clone(),
            roles: if self.holder.kind().has_role() {
                any(&role).chain(roles).collect()
            } else {
                Vec::new()
            },
            scopes: any(scope).chain(scopes).collect(),
            unused: any(&unused).chain(spans).collect(),
            expires_before: self
                .listing
                .expires_before
                .map(|date| date.to_string())
                .unwrap_or_default(),
            sort: self.listing.sort.clone(),
            narrows: self.listing.narrows(),
        }
    }

    fn active(&self, page: Page<ListedToken>) -> ActiveTokens {
        let ctx = &self.call.ctx;
        let path = self.holder.path();
        let offers = Offers::of(self.holder, ctx);
        let pagination = foot("Active tokens", &page, |number| {
            self.listing.href(&path, |there| {
                there.page = i64::try_from(number).unwrap_or(1)
            })
        });
        let count = total(page.total);
        let rows: Vec<_> = page
            .rows
            .into_iter()
            .map(|listed| rows::active(listed, &offers, ctx.now))
            .collect();
        let mut active = ActiveTokens {
            count,
            columns: Vec::new(),
            rows,
            pagination,
        };
        let actions = active.has_actions();
        active.columns = active_columns(self.holder.kind(), actions, self.listing.sort(), |sort| {
            self.listing.href(&path, |there| {
                there.sort = sort.to_owned();
                there.page = 1;
            })
        });
        active
    }

    fn inactive(&self, page: Page<ListedToken>) -> InactiveTokens {
        let path = self.holder.path();
        let ctx = &self.call.ctx;
        let makes_new =
            self.holder.allows(Right::CreateToken, ctx) && !self.holder.is_switched_off(ctx);
        let there = |href: String| format!("{href}#inactive-title");
        InactiveTokens {
            count: total(page.total),
            columns: inactive_columns(
                self.holder.kind(),
                makes_new,
                &self.listing.inactive_sort,
                |sort| {
                    there(self.listing.href(&path, |there| {
                        there.inactive_sort = sort.to_owned();
                        there.inactive_page = 1;
                    }))
                },
            ),
            pagination: foot("Inactive tokens", &page, |number| {
                there(self.listing.href(&path, |there| {
                    there.inactive_page = i64::try_from(number).unwrap_or(1)
                }))
            }),
            narrowed: self.listing.ended.map(EndedBy::word),
            replaceable: makes_new,
            rows: page
                .rows
                .into_iter()
                .map(|listed| rows::inactive(listed, &path, ctx.now))
                .collect(),
        }
    }

    fn loaded<T>(
        &self,
        list: Result<Page<ListedToken>, Unread>,
        show: impl FnOnce(Page<ListedToken>) -> T,
    ) -> Loaded<T> {
        match list {
            Ok(page) => Loaded::Ready(show(page)),
            Err(Unread) => Loaded::Failed {
                request_id: self.call.ctx.actor.origin.request_id.clone(),
            },
        }
    }
}

/// Is there no room for one more? 0 is no limit.
fn reaches(total: Total, limit: i64) -> bool {
    limit > 0
        && match total {
            Total::Counted(number) => number >= limit,
            Total::Many => limit <= COUNTED_AT_MOST,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_reached_by_as_many_as_it_says() {
        assert!(!reaches(Total::Counted(9_999), 10_000));
        assert!(reaches(Total::Counted(10_000), 10_000));
        assert!(reaches(Total::Many, 10_000));
        assert!(!reaches(Total::Many, 50_000));
        assert!(!reaches(Total::Many, 0), "0 is no limit");
    }

    #[test]
    fn a_list_that_cannot_be_read_costs_only_itself() {
        let away = || Error::unavailable(anyhow::anyhow!("gone"));
        assert!(matches!(contained::<()>(Err(away())), Ok(Err(Unread))));
        assert!(matches!(
            contained::<()>(Err(Error::forbidden())),
            Err(Error::Forbidden(_))
        ));
    }
}
