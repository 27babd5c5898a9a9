use super::*;

const FREE: usize = UNCOUNTED_BYTES;

#[test]
fn bytes_count_beyond_the_first_of_each_body() {
    let budget = Budget::new(1, 100);
    let account = Account::open(budget.clone());
    account.charge(FREE).unwrap();
    assert_eq!(budget.bodies_bytes(), 0);
    account.charge(60).unwrap();
    account.charge(40).unwrap();
    assert_eq!(budget.bodies_bytes(), 100);
    assert_eq!(account.charge(1), Err(NoRoom));
    assert_eq!((budget.bodies_bytes(), budget.bodies_refused()), (100, 1));
}

#[test]
fn a_small_body_has_room_when_large_ones_have_taken_all() {
    let budget = Budget::new(1, 100);
    let (large, small) = (Account::open(budget.clone()), Account::open(budget.clone()));
    large.charge(FREE + 100).unwrap();
    small.charge(FREE).unwrap();
    assert_eq!(small.charge(1), Err(NoRoom));
    large.settle();
    small.charge(1).unwrap();
}

#[test]
fn an_answered_request_holds_nothing_and_the_next_one_begins_anew() {
    let budget = Budget::new(1, 100);
    let account = Account::open(budget.clone());
    for _ in 0..3 {
        account.charge(FREE + 100).unwrap();
        account.settle();
        assert_eq!(budget.bodies_bytes(), 0);
    }
}

#[test]
fn what_is_no_part_of_a_message_is_given_back() {
    let budget = Budget::new(1, 100);
    let account = Account::open(budget.clone());
    account.charge(FREE + 50).unwrap();
    account.give_back(20);
    assert_eq!(budget.bodies_bytes(), 30);
    account.give_back(100);
    assert_eq!(budget.bodies_bytes(), 0);
    account.charge(70).unwrap();
    assert_eq!(budget.bodies_bytes(), 0);
    account.give_back(usize::MAX);
    account.settle();
    assert_eq!(budget.bodies_bytes(), 0);
}

#[test]
fn a_request_that_nobody_answers_gives_back_with_the_last_who_holds_it() {
    let budget = Budget::new(1, 100);
    let account = Account::open(budget.clone());
    let elsewhere = account.clone();
    account.charge(FREE + 7).unwrap();
    drop(account);
    assert_eq!(budget.bodies_bytes(), 7);
    drop(elsewhere);
    assert_eq!(budget.bodies_bytes(), 0);
}
