//! The parameters of odd requests.

use proptest::prelude::*;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::reader::parse_integer;
use super::*;

fn json(body: &str) -> Params {
    let mut params = Params::default();
    params.merge_json(body.as_bytes()).unwrap();
    params
}

fn query(text: &str) -> Params {
    Params::from_query(text)
}

/// The parameter `x`, or what is wrong with it.
fn read<T>(params: &Params, get: impl FnOnce(&mut Reader<'_>) -> Checked<T>) -> Result<T, String> {
    params.read(get).map_err(|error| error.to_string())
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn every_mistake_is_named_in_one_answer() {
    let read_token = |params: &Params| {
        read(params, |p| {
            let name = p.required_text("name");
            let scopes = p.required_choices("scopes", &[("api", ())]);
            let level = p.number_choice("access_level", &[(50, 50)]);
            let expires_at = p.date("expires_at");
            Ok((name?, scopes?.len(), level?, expires_at?))
        })
    };
    for (body, expected) in [
        ("{}", "name is missing, scopes is missing"),
        (r#"{"name":"x"}"#, "scopes is missing"),
        (r#"{"scopes":["api"]}"#, "name is missing"),
        (
            r#"{"name":null,"scopes":null}"#,
            "name is missing, scopes is missing",
        ),
        (
            r#"{"name":5,"scopes":{},"access_level":"x","expires_at":"tomorrow"}"#,
            "name is invalid, scopes is invalid, access_level is invalid, expires_at is invalid",
        ),
        (
            r#"{"name":"x","scopes":["api","bogus"],"access_level":17}"#,
            "scopes does not have a valid value, access_level does not have a valid value",
        ),
    ] {
        assert_eq!(read_token(&json(body)), Err(expected.to_owned()), "{body}");
    }
    assert_eq!(
        read_token(&json(r#"{"name":"x","scopes":["api"],"other":1}"#)),
        Ok(("x".to_owned(), 1, None, None))
    );
}

#[test]
fn a_value_is_never_handed_out_beside_a_problem() {
    let params = query("x=1");
    let answer = read(&params, |p| {
        let _ = p.required_text("y");
        p.required_text("x")
    });
    assert_eq!(answer, Err("y is missing".to_owned()));
}

#[test]
fn the_path_outranks_the_body_and_the_body_the_query() {
    let mut params = query("x=query&y=query&z=query");
    params.set_path("x", "path");
    params.merge_json(br#"{"x":"body","y":"body"}"#).unwrap();
    for (name, value) in [("x", "path"), ("y", "body"), ("z", "query")] {
        assert_eq!(
            read(&params, |p| p.required_text(name)),
            Ok(value.to_owned())
        );
    }

    let mut params = query("x=query&scopes[]=query");
    params.merge_form("x=form&scopes[]=a&scopes[]=b");
    params.merge_fields([("x".to_owned(), "multipart".to_owned())]);
    assert_eq!(
        read(&params, |p| p.required_text("x")),
        Ok("multipart".to_owned())
    );
    assert_eq!(
        read(&params, |p| p.choices("scopes", &[("a", 1), ("b", 2)])),
        Ok(Some(vec![1, 2]))
    );
}

#[test]
fn a_null_in_the_body_hides_the_query() {
    let mut params = query("x=5");
    params.merge_json(br#"{"x":null}"#).unwrap();
    assert_eq!(read(&params, |p| p.integer("x")), Ok(None));
}

#[test]
fn forms_are_decoded() {
    let params = query("a=1+2%2B3&b=%C3%A9&c&d=&e=%zz&%66=g&=x&&h=1=2&i=%FF");
    let text = |name: &'static str| read(&params, move |p| p.text(name));
    assert_eq!(text("a"), Ok(Some("1 2+3".to_owned())));
    assert_eq!(text("b"), Ok(Some("é".to_owned())));
    assert_eq!(text("c"), Ok(None));
    assert_eq!(text("d"), Ok(None));
    assert_eq!(text("e"), Ok(Some("%zz".to_owned())));
    assert_eq!(text("f"), Ok(Some("g".to_owned())));
    assert_eq!(text("h"), Ok(Some("1=2".to_owned())));
    assert_eq!(text("i"), Err("i is invalid".to_owned()));

    // Bytes that are no text in a parameter that nobody asks for do no harm.
    assert_eq!(
        read(&query("%FF=1&x=%FF&y=2"), |p| p.integer("y")),
        Ok(Some(2))
    );
    assert_eq!(read(&query("x=1&x=2"), |p| p.integer("x")), Ok(Some(2)));
}

#[test]
fn a_text_is_required_optional_or_empty_with_a_meaning() {
    for (body, required, optional, or_empty) in [
        ("{}", Err("x is missing"), Ok(None), Ok(None)),
        (r#"{"x":null}"#, Err("x is missing"), Ok(None), Ok(None)),
        (r#"{"x":""}"#, Ok(""), Ok(None), Ok(Some(""))),
        (r#"{"x":" "}"#, Ok(" "), Ok(Some(" ")), Ok(Some(" "))),
        (r#"{"x":"a"}"#, Ok("a"), Ok(Some("a")), Ok(Some("a"))),
        (
            r#"{"x":1}"#,
            Err("x is invalid"),
            Err("x is invalid"),
            Err("x is invalid"),
        ),
        (
            r#"{"x":["a"]}"#,
            Err("x is invalid"),
            Err("x is invalid"),
            Err("x is invalid"),
        ),
    ] {
        let params = json(body);
        let own = |result: Result<Option<&str>, &str>| {
            result
                .map(|text| text.map(ToOwned::to_owned))
                .map_err(ToOwned::to_owned)
        };
        assert_eq!(
            read(&params, |p| p.required_text("x")),
            required.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
            "{body}"
        );
        assert_eq!(read(&params, |p| p.text("x")), own(optional), "{body}");
        assert_eq!(
            read(&params, |p| p.text_or_empty("x")),
            own(or_empty),
            "{body}"
        );
    }
}

#[test]
fn something_is_taken_away_with_an_empty_text_and_with_nothing_else() {
    for (body, emptied) in [
        ("{}", false),
        (r#"{"x":null}"#, false),
        (r#"{"x":""}"#, true),
        (r#"{"x":0}"#, false),
        (r#"{"x":[]}"#, false),
    ] {
        assert_eq!(
            read(&json(body), |p| Ok(p.is_emptied("x"))),
            Ok(emptied),
            "{body}"
        );
    }
}

#[test]
fn integers_are_plain_decimal_ones_sent_as_numbers_or_text() {
    for (sent, expected) in [
        ("50", Ok(Some(50))),
        ("\"50\"", Ok(Some(50))),
        ("0", Ok(Some(0))),
        ("\"0\"", Ok(Some(0))),
        ("-1", Ok(Some(-1))),
        ("\"-1\"", Ok(Some(-1))),
        ("2147483648", Ok(Some(2_147_483_648))),
        ("9223372036854775807", Ok(Some(i64::MAX))),
        ("9223372036854775808", Ok(Some(i64::MAX))),
        ("\"99999999999999999999\"", Ok(Some(i64::MAX))),
        ("\"-99999999999999999999\"", Ok(Some(i64::MIN))),
        ("null", Ok(None)),
        ("\"\"", Ok(None)),
        ("50.0", Err(())),
        ("5e1", Err(())),
        ("\"50.0\"", Err(())),
        ("\"5e1\"", Err(())),
        ("\"050\"", Err(())),
        ("\"+50\"", Err(())),
        ("\"-0\"", Err(())),
        ("\"-\"", Err(())),
        ("\" 50\"", Err(())),
        ("\"0x10\"", Err(())),
        ("\"５０\"", Err(())),
        ("\"fifty\"", Err(())),
        ("[50]", Err(())),
        ("{\"a\":50}", Err(())),
        ("true", Err(())),
        ("1e30", Err(())),
    ] {
        assert_eq!(
            read(&json(&format!("{{\"x\":{sent}}}")), |p| p.integer("x")),
            expected.map_err(|()| "x is invalid".to_owned()),
            "{sent}"
        );
    }
}

#[test]
fn what_is_looked_for_is_no_longer_than_what_could_be_found() {
    let of = |length: usize| query(&format!("x={}", "é".repeat(length)));
    assert!(read(&of(255), |p| p.search("x")).is_ok_and(|text| text.is_some()));
    assert_eq!(
        read(&of(256), |p| p.search("x")),
        Err("x is invalid".to_owned())
    );
    assert_eq!(read(&query(""), |p| p.search("x")), Ok(None));
}

#[test]
fn an_id_or_a_path_is_a_number_or_a_text_and_not_nothing() {
    for (sent, expected) in [
        ("7", Ok("7")),
        ("\"7\"", Ok("7")),
        ("\"acme/platform\"", Ok("acme/platform")),
        ("\"\"", Err("x is missing")),
        ("null", Err("x is missing")),
        ("[7]", Err("x is invalid")),
        ("true", Err("x is invalid")),
    ] {
        assert_eq!(
            read(&json(&format!("{{\"x\":{sent}}}")), |p| p
                .required_id_or_path("x")),
            expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
            "{sent}"
        );
    }
}

#[test]
fn a_number_must_be_on_offer() {
    let choose = [(10, 10), (50, 50)];
    for (sent, expected) in [
        ("50", Ok(Some(50))),
        ("\"10\"", Ok(Some(10))),
        ("null", Ok(None)),
        ("60", Err("x does not have a valid value")),
        ("0", Err("x does not have a valid value")),
        ("-1", Err("x does not have a valid value")),
        ("2147483648", Err("x does not have a valid value")),
        ("50.0", Err("x is invalid")),
        ("\"fifty\"", Err("x is invalid")),
        ("[50]", Err("x is invalid")),
    ] {
        let params = json(&format!("{{\"x\":{sent}}}"));
        assert_eq!(
            read(&params, |p| p.number_choice("x", &choose)),
            expected.map_err(ToOwned::to_owned),
            "{sent}"
        );
        let required = expected.and_then(|number| number.ok_or("x is missing"));
        assert_eq!(
            read(&params, |p| p.required_number_choice("x", &choose)),
            required.map_err(ToOwned::to_owned),
            "{sent}"
        );
    }
}

#[test]
fn booleans_are_written_in_many_ways() {
    for (sent, expected) in [
        ("true", Ok(Some(true))),
        ("false", Ok(Some(false))),
        ("1", Ok(Some(true))),
        ("0", Ok(Some(false))),
        ("null", Ok(None)),
        ("\"\"", Ok(None)),
        ("2", Err(())),
        ("1.0", Err(())),
        ("[true]", Err(())),
        ("\"maybe\"", Err(())),
        ("\" true\"", Err(())),
    ] {
        assert_eq!(
            read(&json(&format!("{{\"x\":{sent}}}")), |p| p.boolean("x")),
            expected.map_err(|()| "x is invalid".to_owned()),
            "{sent}"
        );
    }
    for (words, expected) in [
        (["true", "t", "1", "yes", "on", "TRUE"], true),
        (["false", "f", "0", "no", "off", "No"], false),
    ] {
        for word in words {
            assert_eq!(
                read(&query(&format!("x={word}")), |p| p.boolean("x")),
                Ok(Some(expected)),
                "{word}"
            );
        }
    }
}

#[test]
fn a_date_is_what_the_calendar_knows_or_invalid() {
    let five_kilobytes = format!("\"{}\"", "2027-01-01".repeat(512));
    for (sent, expected) in [
        ("\"2027-01-01\"", Some("2027-01-01")),
        ("\"2028-02-29\"", Some("2028-02-29")),
        ("\"1970-01-01\"", Some("1970-01-01")),
        ("\"9999-12-31\"", Some("9999-12-31")),
        // Date-times are cut to the date that stands there.
        ("\"2027-01-01T00:00:00+14:00\"", Some("2027-01-01")),
        ("\"2027-01-01T23:59:59-12:00\"", Some("2027-01-01")),
        ("\"2027-01-01T00:00:00.000Z\"", Some("2027-01-01")),
        ("\"2027-02-29\"", None),
        ("\"2027-13-01\"", None),
        ("\"2027-00-10\"", None),
        ("\"2027-01-00\"", None),
        ("\"2027-1-1\"", None),
        ("\"20270101\"", None),
        ("\"tomorrow\"", None),
        ("1e9", None),
        ("0", None),
        ("true", None),
        ("{}", None),
        ("[]", None),
        ("[\"2027-01-01\"]", None),
        ("\" 2027-01-01 \"", None),
        ("\"2027-01-01 \"", None),
        ("\"２０２７-０１-０１\"", None),
        ("\"10000-01-01\"", None),
        ("\"-2027-01-01\"", None),
        ("\"+2027-01-01\"", None),
        ("\"2027-01-+1\"", None),
        ("\"2027/01-01\"", None),
        ("\"2027-01/01\"", None),
        ("\"01-01-2027\"", None),
        ("\"2027-01-01Z\"", None),
        ("\"2027-01-01T\"", None),
        ("\"2027-01-01Tgarbage\"", None),
        ("\"2027-01-01T25:00:00Z\"", None),
        ("\"2027-01-0é\"", None),
        (&five_kilobytes, None),
    ] {
        assert_eq!(
            read(&json(&format!("{{\"x\":{sent}}}")), |p| p.date("x")),
            expected
                .map(|text| Some(day(text)))
                .ok_or_else(|| "x is invalid".to_owned()),
            "{sent}"
        );
    }
    for blank in ["null", "\"\""] {
        assert_eq!(
            read(&json(&format!("{{\"x\":{blank}}}")), |p| p.date("x")),
            Ok(None)
        );
    }
}

#[test]
fn a_point_in_time_is_utc_unless_it_names_its_zone() {
    for (text, expected) in [
        ("2026-11-20", Some("2026-11-20T00:00:00Z")),
        ("2026-11-20T09:15", Some("2026-11-20T09:15:00Z")),
        ("2026-11-20T09:15:30", Some("2026-11-20T09:15:30Z")),
        ("2026-11-20T09:15:30Z", Some("2026-11-20T09:15:30Z")),
        ("2026-11-20t09:15:30z", Some("2026-11-20T09:15:30Z")),
        ("2026-11-20T09:15:30.5Z", Some("2026-11-20T09:15:30.5Z")),
        (
            "2026-11-20T09:15:30,123456789Z",
            Some("2026-11-20T09:15:30.123456789Z"),
        ),
        ("2026-11-20T09:15:30+02:00", Some("2026-11-20T07:15:30Z")),
        ("2026-11-20T09:15:30-0530", Some("2026-11-20T14:45:30Z")),
        ("2026-11-20T01:15+02", Some("2026-11-19T23:15:00Z")),
        ("", None),
        ("2026-11-20 09:15:30", None),
        ("2026-11-20T9:15", None),
        ("2026-11-20T09", None),
        ("2026-11-20T09:15:30.", None),
        ("2026-11-20T09:15.5", None),
        ("2026-11-20T09:15:59.1234567890", None),
        ("2026-11-20T09:60:00", None),
        ("2026-11-20T24:00:00", None),
        ("2026-11-20T09:15:30+", None),
        ("2026-11-20T09:15:30+2", None),
        ("2026-11-20T09:15:30+24:00", None),
        ("2026-11-20T09:15:30+02:60", None),
        ("2026-11-20T09:15:30 02:00", None),
        ("2026-11-20T09:15:30Zz", None),
        ("2026-11-20T+9:15", None),
    ] {
        let expected: Option<DateTime<Utc>> = expected.map(|text| text.parse().unwrap());
        assert_eq!(parse_date_time(text), expected, "{text:?}");
    }
    assert_eq!(
        read(&query("x=nope"), |p| p.date_time("x")),
        Err("x is invalid".to_owned())
    );
    assert_eq!(
        read(&query("x=2026-11-20"), |p| p.date_time("x")),
        Ok(parse_date_time("2026-11-20"))
    );
}

#[test]
fn a_word_must_be_on_offer() {
    let state = [("active", 1)];
    for (text, expected) in [
        ("", Ok(None)),
        ("x=", Ok(None)),
        ("x=active", Ok(Some(1))),
        ("x=Active", Err("x does not have a valid value")),
        ("x[]=active", Err("x is invalid")),
    ] {
        assert_eq!(
            read(&query(text), |p| p.choice("x", &state)),
            expected.map_err(ToOwned::to_owned),
            "{text:?}"
        );
    }
}

#[test]
fn a_list_comes_as_an_array_as_repeated_fields_or_as_one_word() {
    let word = [("a", "a"), ("b", "b")];
    let list = |params: &Params| {
        read(params, |p| p.required_choices("x", &word)).map(|words| words.concat())
    };
    for (text, expected) in [
        ("x[]=a&x[]=b", Ok("ab")),
        ("x%5B%5D=a&x%5B%5D=b", Ok("ab")),
        ("x=a", Ok("a")),
        ("x=a&x[]=b", Ok("b")),
        ("x=", Ok("")),
        ("", Err("x is missing")),
        ("x=a,b", Err("x does not have a valid value")),
        ("x[]=", Err("x does not have a valid value")),
    ] {
        assert_eq!(
            list(&query(text)),
            expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
            "{text:?}"
        );
    }
    for (sent, expected) in [
        ("[\"a\",\"b\",\"a\"]", Ok("aba")),
        ("\"a\"", Ok("a")),
        ("[]", Ok("")),
        ("[\"\"]", Err("x does not have a valid value")),
        ("[\"a\",\"bogus\"]", Err("x does not have a valid value")),
        ("[1]", Err("x is invalid")),
        ("[null]", Err("x is invalid")),
        ("[[\"a\"]]", Err("x is invalid")),
        ("1", Err("x is invalid")),
        ("null", Err("x is missing")),
    ] {
        assert_eq!(
            list(&json(&format!("{{\"x\":{sent}}}"))),
            expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
            "{sent}"
        );
    }
    assert_eq!(read(&json("{}"), |p| p.choices("x", &word)), Ok(None));
    assert_eq!(read(&query("x="), |p| p.choices("x", &word)), Ok(None));
    assert_eq!(
        read(&json(r#"{"x":[]}"#), |p| p.choices("x", &word)),
        Ok(Some(vec![]))
    );
}

#[test]
fn a_list_has_an_end() {
    let of = |entries: usize| query(&"x[]=1&".repeat(entries));
    assert_eq!(read(&of(200), |p| p.integers("x")), Ok(Some(vec![1; 200])));
    assert_eq!(
        read(&of(201), |p| p.integers("x")),
        Err("x is invalid".to_owned())
    );
    assert_eq!(
        read(&of(32), |p| p.choices("x", &[("1", 1)])),
        Ok(Some(vec![1; 32]))
    );
    assert_eq!(
        read(&of(33), |p| p.required_choices("x", &[("1", 1)])),
        Err("x does not have a valid value".to_owned())
    );
}

#[test]
fn integers_come_in_lists_too() {
    for (text, expected) in [
        ("x[]=1&x[]=2", Ok(Some(vec![1, 2]))),
        ("x=3", Ok(Some(vec![3]))),
        ("", Ok(None)),
        ("x[]=1&x[]=b", Err("x is invalid".to_owned())),
    ] {
        assert_eq!(
            read(&query(text), |p| p.integers("x")),
            expected,
            "{text:?}"
        );
    }
    assert_eq!(
        read(&json(r#"{"x":[1,"2"]}"#), |p| p.integers("x")),
        Ok(Some(vec![1, 2]))
    );
}

#[test]
fn pages_have_a_number_and_a_size() {
    for (text, expected) in [
        ("", Ok((1, 20))),
        ("page=&per_page=", Ok((1, 20))),
        ("page=3&per_page=100", Ok((3, 100))),
        ("page=1&per_page=1", Ok((1, 1))),
        ("per_page=101", Ok((1, 100))),
        ("per_page=9223372036854775808", Ok((1, 100))),
        ("page=1000000", Ok((1_000_000, 20))),
        ("per_page=0", Err("per_page has a value not allowed")),
        ("per_page=-1", Err("per_page has a value not allowed")),
        ("page=0", Err("page has a value not allowed")),
        (
            "page=9223372036854775808",
            Err("page has a value not allowed"),
        ),
        ("page=abc", Err("page is invalid")),
        ("per_page=1.5", Err("per_page is invalid")),
        (
            "page=0&per_page=x",
            Err("page has a value not allowed, per_page is invalid"),
        ),
    ] {
        let pages = read(&query(text), |p| {
            let (page, per_page) = (p.page(), p.per_page());
            Ok((page?, per_page?))
        });
        assert_eq!(pages, expected.map_err(ToOwned::to_owned), "{text:?}");
    }
}

#[test]
fn a_body_that_is_no_json_object_is_refused() {
    for body in [
        &b"{"[..],
        b"[]",
        b"null",
        b"\"x\"",
        b"5",
        b"{} x",
        b"{}{}",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\x00}",
        b"\xff\xfe{\x00}\x00",
        b"{\"a\":1e999}",
        b"{\"a\":NaN}",
        b"a=b",
    ] {
        let refused = Params::default().merge_json(body);
        assert_eq!(
            refused.map_err(|error| error.to_string()),
            Err("message body does not match declared format".to_owned()),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    for body in ["", "  \r\n", "{}", " { } "] {
        let read = read(&json(body), |p| p.required_text("name"));
        assert_eq!(read, Err("name is missing".to_owned()), "{body:?}");
    }
}

#[test]
fn a_refused_body_leaves_nothing_behind() {
    let mut params = query("x=1");
    params.merge_json(br#"{"x":2,"y":3,"#).unwrap_err();
    assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(1)));
    assert_eq!(read(&params, |p| p.integer("y")), Ok(None));
}

#[test]
fn a_name_must_not_be_repeated_at_any_depth() {
    for (body, ok) in [
        (r#"{"a":1,"b":1}"#, true),
        (r#"{"a":1,"a":1}"#, false),
        (r#"{"a":1,"\u0061":1}"#, false),
        (r#"{"a":{"b":1,"b":2}}"#, false),
        (r#"{"a":[{"b":1},{"b":2}]}"#, true),
        (r#"{"a":[{"b":1,"b":2}]}"#, false),
    ] {
        let merged = Params::default().merge_json(body.as_bytes());
        assert_eq!(merged.is_ok(), ok, "{body}");
    }
}

#[test]
fn a_body_may_be_nested_to_the_limit_and_no_deeper() {
    fn lists(depth: usize) -> String {
        format!(
            "{{\"x\":{}{}}}",
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        )
    }
    fn objects(depth: usize) -> String {
        format!("{}1{}", "{\"x\":".repeat(depth), "}".repeat(depth))
    }
    for body in [lists, objects] {
        let merge = |depth| Params::default().merge_json(body(depth).as_bytes());
        assert_eq!(merge(MAX_DEPTH), Ok(()));
        assert_eq!(merge(MAX_DEPTH + 1), Err(MalformedBody));
        assert_eq!(merge(100_000), Err(MalformedBody));
    }
    assert_eq!(MAX_DEPTH, 64);
}

#[test]
fn a_credential_is_taken_out_of_every_place() {
    let mut params = query("private_token=query&x=1");
    params.merge_json(br#"{"private_token":"body"}"#).unwrap();
    assert_eq!(
        params.take_secret("private_token").unwrap().as_str(),
        "body"
    );
    assert_eq!(params.take_secret("private_token"), None);
    assert_eq!(read(&params, |p| p.text("private_token")), Ok(None));
    assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(1)));

    for nothing in ["private_token=", "private_token=+", "private_token[]=x", ""] {
        assert_eq!(
            query(nothing).take_secret("private_token"),
            None,
            "{nothing:?}"
        );
    }
}

#[test]
fn values_are_not_printed() {
    let mut params = query("private_token=hunter2");
    params.set_path("id", "hunter2");
    params.merge_form("password=hunter2");
    let printed = format!("{params:?}");
    assert!(!printed.contains("hunter2"));
    assert!(printed.contains("private_token") && printed.contains("password"));
}

#[test]
fn a_handler_may_reject_a_parameter_by_itself() {
    let answer: Result<(), _> = query("x=1")
        .read(|p| p.reject("x", ParamProblem::NotOnOffer))
        .map_err(|error| error.problems().to_vec());
    assert_eq!(answer, Err(vec![("x", ParamProblem::NotOnOffer)]));
}

proptest! {
    #[test]
    fn every_date_is_read_back(days in 0_i64..3_652_000) {
        let date = day("0001-01-01") + TimeDelta::days(days);
        prop_assert_eq!(parse_date(&date.to_string()), Some(date));
    }

    #[test]
    fn every_point_in_time_is_read_back_in_every_zone(
        seconds in 0_i64..4_000_000_000, milliseconds in 0_u32..1000, offset in -1439_i32..1440
    ) {
        let time = DateTime::from_timestamp(seconds, milliseconds * 1_000_000).unwrap();
        let zone = chrono::FixedOffset::east_opt(offset * 60).unwrap();
        let local = time.with_timezone(&zone);
        prop_assert_eq!(parse_date_time(&local.to_rfc3339()), Some(time));
        prop_assert_eq!(parse_date(&local.to_rfc3339()), Some(local.date_naive()));
    }

    #[test]
    fn every_integer_is_read_back(number: i64) {
        prop_assert_eq!(parse_integer(&number.to_string()), Some(number));
        let params = json(&format!("{{\"x\":{number}}}"));
        prop_assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(number)));
    }

    #[test]
    fn no_input_at_all_is_a_crash(
        bytes in proptest::collection::vec(any::<u8>(), 0..100), text in ".{0,40}"
    ) {
        let mut params = Params::from_query(&text);
        params.merge_form(&bytes);
        let _ = params.merge_json(&bytes);
        let _ = params.merge_json(text.as_bytes());
        let _ = (parse_date(&text), parse_date_time(&text), parse_integer(&text));
    }

    #[test]
    fn dates_with_anything_behind_them_are_no_crash(rest in ".{0,20}") {
        let _ = parse_date(&format!("2026-11-20{rest}"));
        let _ = parse_date_time(&format!("2026-11-20T{rest}"));
    }
}
