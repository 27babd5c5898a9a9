use super::*;

#[test]
fn the_reserved_share_is_cut_off() {
    for (total, share, kept) in
        [(10, 0.30, 3), (7, 0.30, 2), (1, 0.99, 0), (10, 0.0, 0), (10, 1.0, 10), (0, 0.5, 0), (50, 0.5, 25)]
    {
        assert_eq!(reserved(total, share), kept, "{total} x {share}");
    }
}

#[test]
fn own_jobs_and_other_daemons_are_taken_off() {
    for (free, reported, own, daemons, may) in [
        (10, 0, 0, 1, 7),
        // Just begun: the services do not report them yet.
        (10, 0, 3, 1, 4),
        // The services report them: the same total, the same share.
        (7, 3, 3, 1, 4),
        (3, 7, 7, 1, 0),
        (0, 7, 7, 1, 0),
        (0, 0, 0, 1, 0),
        (10, 0, 0, 2, 3),
        (10, 0, 0, 3, 2),
        (10, 0, 0, 7, 1),
        // At least one each.
        (10, 0, 0, 50, 1),
        (10, 0, 1, 50, 0),
        // Nothing is no part of anything.
        (0, 0, 0, 50, 0),
        (10, 0, 0, 0, 7),
    ] {
        let load = Load { free, reported, own, daemons };
        assert_eq!(may_begin(load, 0.30), may, "{load:?}");
    }
}

#[test]
fn what_is_reserved_whole_leaves_nothing() {
    let load = Load { free: 10, reported: 0, own: 0, daemons: 5 };
    assert_eq!((may_begin(load, 1.0), may_begin(load, 0.0)), (0, 2));
}
