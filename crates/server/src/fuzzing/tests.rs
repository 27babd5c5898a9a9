#[path = "../../../../fuzz/shared/replay.rs"]
mod replay;

#[test]
fn what_fuzzers_kept_is_still_handled() {
    replay::all(super::TARGETS);
}
