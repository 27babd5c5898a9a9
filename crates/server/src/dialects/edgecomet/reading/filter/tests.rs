use manifold_engine::recache::HostId;

use super::*;
use crate::dialects::edgecomet::{config::Config, hosts::Hosts};

/// The filter that a query asks for, on a host with the dimensions `desktop` (1) and `bots` (3).
fn filter(query: &str) -> Filter {
    let config: Config = toml::from_str(
        r#"
        [[hosts]]
        id = 1
        domain = "a.b"
        [hosts.dimensions]
        desktop = { id = 1 }
        bots = { id = 3, action = "block", match_ua = ["x"] }
        "#,
    )
    .unwrap();
    let hosts = Hosts::build(&config).unwrap();
    Filter::of(&Parameters::parse(query), hosts.get(HostId(1)).unwrap()).unwrap()
}

/// Whether a page is what a query asks for: fresh, in dimension 3, 100 bytes long, 60 seconds old.
fn fits(query: &str) -> bool {
    let key = PageKey { host: HostId(1), dimension: DimensionId(3), hash: 5 };
    let record = Record {
        url: "https://a.b/\u{c4}pfel".to_owned(),
        size: Some(100),
        status_code: Some(301),
        source: "bypass".to_owned(),
        index_status: Some(2),
        ..Record::default()
    };
    filter(query).fits(key, &record, Freshness::Active, 60)
}

#[test]
fn a_filter_without_anything_fits_everything() {
    assert_eq!(filter("size_max=0&status=,&url_contains="), Filter::default());
    assert!(fits(""));
}

#[test]
fn each_part_of_a_filter_must_fit() {
    for fitting in [
        "status=stale,active",
        "dimension=bots",
        "dimension=desktop,bots",
        "url_contains=%C3%A4PF",
        "size_min=100",
        "size_max=100",
        "size_min=100&size_max=100",
        "cache_age_min=60&cache_age_max=60",
        "status_code=200,301",
        "source=bypass",
        "index_status=2",
        "status=active&dimension=bots&source=bypass&index_status=1,2",
    ] {
        assert!(fits(fitting), "{fitting}");
    }
    for other in [
        "status=stale",
        "dimension=desktop",
        "url_contains=birne",
        "size_min=101",
        "size_max=99",
        "cache_age_min=61",
        "cache_age_max=59",
        "status_code=200",
        "source=render",
        "index_status=1",
        "status=active&dimension=desktop",
    ] {
        assert!(!fits(other), "{other}");
    }
}

#[test]
fn what_a_record_does_not_say_is_0() {
    let key = PageKey { host: HostId(1), dimension: DimensionId(1), hash: 5 };
    let fits = |query| filter(query).fits(key, &Record::default(), Freshness::Expired, 0);
    assert!(fits("status=expired&dimension=desktop&size_max=1&status_code=0"));
    assert!(!fits("size_min=1") && !fits("index_status=1") && !fits("source=render"));
}
