//! Offset pages, as the API and the lists on pages have them.

/// Above this many rows nobody counts on: answers leave the total out, pages say "10,000+".
pub const COUNTED_AT_MOST: i64 = 10_000;

/// Which page is asked for: `page` from 1, `per_page` 1..=100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub per_page: i64,
}

impl PageRequest {
    /// Rows before this page.
    pub fn offset(self) -> i64 {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }
}

impl PageRequest {
    /// This page of a list with so many rows, or its last one if this lies beyond the end. Of more than
    /// [`COUNTED_AT_MOST`] nobody knows the last one.
    pub fn or_last(self, counted: i64) -> Self {
        if counted > self.offset() || counted > COUNTED_AT_MOST {
            return self;
        }
        PageRequest {
            page: (counted.max(1) - 1) / self.per_page + 1,
            ..self
        }
    }

    /// How many rows there are in all, if this page is the last one and so tells. `fetched` is what a query
    /// for one row more than the page holds, or for some more, has brought.
    pub fn total_if_last(self, fetched: usize) -> Option<i64> {
        let fetched = i64::try_from(fetched).unwrap_or(i64::MAX);
        let is_last = fetched <= self.per_page && (fetched > 0 || self.page == 1);
        is_last.then(|| self.offset().saturating_add(fetched))
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        PageRequest {
            page: 1,
            per_page: 20,
        }
    }
}

/// How a list that can be paged in two ways is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Which page; the first one, where pages begin after a row.
    pub request: PageRequest,
    /// Do pages begin after a row, rather than at a number?
    pub keyset: bool,
}

/// How many rows there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Exactly this many.
    Counted(i64),
    /// More than [`COUNTED_AT_MOST`].
    Many,
}

impl Total {
    /// From a count that stopped one above [`COUNTED_AT_MOST`].
    pub fn from_bounded_count(count: i64) -> Self {
        if count > COUNTED_AT_MOST {
            Total::Many
        } else {
            Total::Counted(count)
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// What was asked for.
    pub request: PageRequest,
    /// How many there are.
    pub total: Total,
    /// Is there a page after this one?
    pub has_next: bool,
}

impl<T> Page<T> {
    /// From the rows of a query that asked for one more than the page holds, or for some more, and a bounded count.
    pub fn new(mut rows: Vec<T>, request: PageRequest, counted: i64) -> Self {
        let per_page = usize::try_from(request.per_page).unwrap_or(100);
        let has_next = rows.len() > per_page;
        rows.truncate(per_page);
        Page {
            rows,
            request,
            total: Total::from_bounded_count(counted),
            has_next,
        }
    }

    /// As [`Page::new`], where the rows are counted only if this page doesn't tell how many there are. `ids`
    /// brings the ids of all rows, one more than [`COUNTED_AT_MOST`] at the most.
    ///
    /// # Errors
    /// Those of counting.
    pub fn counted<E>(
        rows: Vec<T>,
        request: PageRequest,
        ids: impl FnOnce() -> Result<Vec<i64>, E>,
    ) -> Result<Self, E> {
        let counted = match request.total_if_last(rows.len()) {
            Some(counted) => counted,
            None => i64::try_from(ids()?.len()).unwrap_or(i64::MAX),
        };
        Ok(Page::new(rows, request, counted))
    }

    /// As [`Page::new`], where each row also tells how many there are; `told` is what the first one says. Beyond the end
    /// no row tells: then `ids` brings the ids of all rows, one more than [`COUNTED_AT_MOST`] at the most. With `or_last`
    /// the rows are those of the last page, if the one that was asked for lies beyond the end.
    ///
    /// # Errors
    /// Those of counting.
    pub fn told<E>(
        rows: Vec<T>,
        told: Option<i64>,
        request: PageRequest,
        or_last: bool,
        ids: impl FnOnce() -> Result<Vec<i64>, E>,
    ) -> Result<Self, E> {
        let counted = match told {
            Some(counted) => counted,
            None if request.page == 1 => 0,
            // There is no last page of an empty list.
            None if or_last && request.offset() <= COUNTED_AT_MOST => 0,
            None => i64::try_from(ids()?.len()).unwrap_or(i64::MAX),
        };
        let request = if or_last {
            request.or_last(counted)
        } else {
            request
        };
        Ok(Page::new(rows, request, counted))
    }

    /// How many pages there are, when the rows are counted; at least 1.
    pub fn total_pages(&self) -> Option<i64> {
        match self.total {
            Total::Counted(n) => {
                Some((n.saturating_add(self.request.per_page - 1) / self.request.per_page).max(1))
            }
            Total::Many => None,
        }
    }

    /// The same page of other rows.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(f).collect(),
            request: self.request,
            total: self.total,
            has_next: self.has_next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_end_is_the_last_page_as_far_as_anybody_knows() {
        let or_last = |page, counted| PageRequest { page, per_page: 20 }.or_last(counted).page;
        for (page, counted, shown) in [
            (1, 0, 1),
            (9, 0, 1),
            (9, 20, 1),
            (9, 21, 2),
            (2, 21, 2),
            (9, 161, 9),
            (600, COUNTED_AT_MOST, 500),
            (600, COUNTED_AT_MOST + 1, 600),
            (i64::MAX, 40, 2),
        ] {
            assert_eq!(or_last(page, counted), shown, "{page} of {counted}");
        }
    }

    #[test]
    fn the_last_page_tells_how_many_rows_there_are() {
        let at = |page| PageRequest { page, per_page: 20 };
        assert_eq!(at(1).total_if_last(0), Some(0));
        assert_eq!(at(1).total_if_last(20), Some(20));
        assert_eq!(at(3).total_if_last(5), Some(45));
        assert_eq!(at(1).total_if_last(21), None, "there is more");
        assert_eq!(at(9).total_if_last(0), None, "beyond the end");
    }
}
