//! Arithmetic over the values of points, a column of them at a time.

use crate::{
    Error, Kind, Result,
    series::{Expr, Operator},
};

/// Deepest nesting of an expression.
const DEPTH: usize = 256;

/// A value for all points, or one for each.
enum Column {
    Same(f64),
    Each(Vec<f64>),
}

/// Refuses an expression that is too deep to be evaluated.
pub(super) fn check(expr: &Expr) -> Result<()> {
    let mut open = vec![(expr, 1)];
    while let Some((expr, depth)) = open.pop() {
        if depth > DEPTH {
            return Err(Error::new(Kind::Invalid, format!("an expression is nested more than {DEPTH} times")));
        }
        match expr {
            Expr::Value | Expr::Number(_) => {}
            Expr::Negate(of) => open.push((of, depth + 1)),
            Expr::Binary(left, _, right) => open.extend([(&**left, depth + 1), (&**right, depth + 1)]),
        }
    }
    Ok(())
}

/// The expression for each value; not a number where there is no result, or no finite one on the way to it.
pub(super) fn evaluate(expr: &Expr, values: &[f64]) -> Vec<f64> {
    match column(expr, values) {
        Column::Same(value) => vec![value; values.len()],
        Column::Each(results) => results,
    }
}

fn column(expr: &Expr, values: &[f64]) -> Column {
    match expr {
        Expr::Value => Column::Each(values.to_vec()),
        Expr::Number(number) => Column::Same(sound(*number)),
        Expr::Negate(of) => match column(of, values) {
            Column::Same(value) => Column::Same(-value),
            Column::Each(values) => Column::Each(values.into_iter().map(|value| -value).collect()),
        },
        Expr::Binary(left, operator, right) => {
            let (left, right) = (column(left, values), column(right, values));
            match operator {
                Operator::Add => combine(left, right, |left, right| left + right),
                Operator::Subtract => combine(left, right, |left, right| left - right),
                Operator::Multiply => combine(left, right, |left, right| left * right),
                Operator::Divide => combine(left, right, |left, right| left / right),
                Operator::Remainder => combine(left, right, |left, right| left % right),
            }
        }
    }
}

fn combine(left: Column, right: Column, of: impl Fn(f64, f64) -> f64) -> Column {
    let of = |left, right| sound(of(left, right));
    match (left, right) {
        (Column::Same(left), Column::Same(right)) => Column::Same(of(left, right)),
        (Column::Same(left), Column::Each(right)) => {
            Column::Each(right.into_iter().map(|right| of(left, right)).collect())
        }
        (Column::Each(left), Column::Same(right)) => {
            Column::Each(left.into_iter().map(|left| of(left, right)).collect())
        }
        (Column::Each(left), Column::Each(right)) => {
            Column::Each(left.into_iter().zip(right).map(|(left, right)| of(left, right)).collect())
        }
    }
}

/// An infinite value is no value: else one over it would be a result again.
fn sound(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}
