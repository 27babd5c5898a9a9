//! What a REST route is: a command, and how its request and its answer are spelled.

use hyper::StatusCode;

use crate::dialects::synap::{
    commands::{self, Known, Line},
    error::Error,
};

/// A command as one route spells it. The parameters of the route's template are members of the payload by their own
/// names; what else goes into it, and what becomes of the answer, is said here.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialects::synap) struct Call {
    does: Does,
    pub(super) body: Body,
    /// Members that come in the query as texts.
    pub(super) texts: &'static [&'static str],
    /// Members that come in the query, or the path, as numbers.
    pub(super) numbers: &'static [&'static str],
    /// A member of the payload that may have other names in the body.
    pub(super) renamed: Option<Renamed>,
    /// Whether a body without a member that must be there is of no form that the route knows.
    pub(super) forms_only: bool,
    pub(super) reply: Reply,
    created: Created,
}

/// The command.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// One that clients can name.
    Named(&'static str),
    /// One that reads or answers more than spelling could change.
    Own(&'static Line),
}

/// What the body may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// It does not matter.
    Ignored,
    /// An object, or nothing.
    Optional,
    /// An object.
    Object,
    /// An object, or an array, which is the member of that name.
    OrArray(&'static str),
    /// An object, or an array of pairs, which is the member of that name. An array that begins with a string is one
    /// pair.
    OrPairs(&'static str),
}

/// `to` is the first member of `from` that the body has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renamed {
    pub(super) from: [&'static str; 2],
    pub(super) to: &'static str,
}

/// What becomes of the payload of the answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply {
    /// It is the body.
    Whole,
    /// These members of it, in this order.
    Only(&'static [&'static str]),
    /// It is the body, and the key.
    WithKey,
    /// The value of one member alone.
    Bare(&'static str),
    /// The value alone if it was found, else only that it was not.
    IfFound,
    /// It is the body, unless this member is 0: then the key is absent.
    UnlessZero(&'static str),
    /// The members of a message that was taken, all null when there was none.
    Message,
}

/// When something new is there.
#[derive(Debug, Clone, Copy)]
enum Created {
    Never,
    Always,
    /// As the member `created` of the payload says.
    AsSaid,
}

/// A command that clients can name.
pub(super) const fn named(command: &'static str) -> Call {
    Call::new(Does::Named(command))
}

/// A command that only this route has.
pub(super) const fn own(line: &'static Line) -> Call {
    Call::new(Does::Own(line))
}

impl Call {
    const fn new(does: Does) -> Self {
        Call {
            does,
            body: Body::Ignored,
            texts: &[],
            numbers: &[],
            renamed: None,
            forms_only: false,
            reply: Reply::Whole,
            created: Created::Never,
        }
    }

    pub(super) const fn body(self, body: Body) -> Self {
        Call { body, ..self }
    }

    pub(super) const fn texts(self, texts: &'static [&'static str]) -> Self {
        Call { texts, ..self }
    }

    pub(super) const fn numbers(self, numbers: &'static [&'static str]) -> Self {
        Call { numbers, ..self }
    }

    pub(super) const fn renamed(self, from: [&'static str; 2], to: &'static str) -> Self {
        Call { renamed: Some(Renamed { from, to }), ..self }
    }

    pub(super) const fn forms_only(self) -> Self {
        Call { forms_only: true, ..self }
    }

    pub(super) const fn reply(self, reply: Reply) -> Self {
        Call { reply, ..self }
    }

    pub(super) const fn creates(self) -> Self {
        Call { created: Created::Always, ..self }
    }

    pub(super) const fn may_create(self) -> Self {
        Call { created: Created::AsSaid, ..self }
    }

    /// The command behind it.
    pub(super) fn command(&self) -> Result<Known, Error> {
        match self.does {
            Does::Named(name) => commands::find(name),
            Does::Own(line) => Ok(commands::spelled(line)),
        }
    }

    /// With which status it is done.
    pub(super) fn status(&self, said: impl FnOnce() -> bool) -> StatusCode {
        let created = match self.created {
            Created::Never => false,
            Created::Always => true,
            Created::AsSaid => said(),
        };
        if created { StatusCode::CREATED } else { StatusCode::OK }
    }
}
