//! Arithmetic over `value`.

use manifold_engine::series::{Expr, Operator};

use super::{cursor::Cursor, literal, mistake::Mistake};

/// Parentheses and signs inside each other.
const MOST_NESTED: usize = 64;
/// Operators of one expression: the tree of `1+1+1+...` is as deep as there are operators, and together with the signs it
/// stays below what the engine takes.
const MOST_OPERATORS: usize = 128;

const OPERAND: &str = "value, a number or '('";

/// Reads an expression; it ends where no operator follows.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expr, Mistake> {
    Reader { cursor, nested: 0, operators: 0 }.sum()
}

struct Reader<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    nested: usize,
    operators: usize,
}

impl Reader<'_, '_> {
    fn sum(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[("+", Operator::Add), ("-", Operator::Subtract)])? {
            left = Expr::Binary(left.into(), operator, self.product()?.into());
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expr, Mistake> {
        const PRODUCTS: [(&str, Operator); 3] =
            [("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)];
        let mut left = self.operand()?;
        while let Some(operator) = self.operator(&PRODUCTS)? {
            left = Expr::Binary(left.into(), operator, self.operand()?.into());
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, Mistake> {
        let at = self.cursor.at();
        if self.cursor.take("-") {
            return self.deeper(at, |reader| Ok(Expr::Negate(reader.operand()?.into())));
        }
        if self.cursor.take("(") {
            return self.deeper(at, |reader| {
                let inner = reader.sum()?;
                reader.cursor.expect(")", "an operator or ')'")?;
                Ok(inner)
            });
        }
        if self.cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            return literal::number(self.cursor, OPERAND).map(Expr::Number);
        }
        match self.cursor.word() {
            "" => Err(self.cursor.unexpected(OPERAND)),
            "value" => Ok(Expr::Value),
            other => Err(Mistake::new(at, format!("unknown name '{other}'"), OPERAND)),
        }
    }

    fn operator(&mut self, any: &[(&str, Operator)]) -> Result<Option<Operator>, Mistake> {
        let at = self.cursor.at();
        let Some((_, operator)) = any.iter().find(|(sign, _)| self.cursor.take(sign)) else { return Ok(None) };
        self.operators += 1;
        if self.operators > MOST_OPERATORS {
            let most = format!("at most {MOST_OPERATORS} operators");
            return Err(Mistake::new(at, "the expression is too long", most));
        }
        Ok(Some(*operator))
    }

    fn deeper(&mut self, at: usize, read: impl FnOnce(&mut Self) -> Result<Expr, Mistake>) -> Result<Expr, Mistake> {
        if self.nested == MOST_NESTED {
            let most = format!("at most {MOST_NESTED} parentheses and signs inside each other");
            return Err(Mistake::new(at, "the expression is nested too deeply", most));
        }
        self.nested += 1;
        let read = read(self);
        self.nested -= 1;
        read
    }
}
