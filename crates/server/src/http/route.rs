//! A table of routes over raw paths, where `%2F` survives. Dispatch, 405 with `Allow` and the OpenAPI document read the
//! same table, so that none of them can know a route the others do not.

use hyper::Method;
use memchr::memchr;

/// Most parameters of one template.
pub const MAX_PARAMETERS: usize = 3;

/// One path and what can be done there.
#[derive(Debug)]
pub struct Route<T: 'static> {
    /// The path; `{name}` stands for one part of it, which may be empty.
    pub template: &'static str,
    /// The last parameter takes everything that is left, slashes included.
    pub rest: bool,
    /// The methods, in the order `Allow` shows them.
    pub operations: &'static [(Verb, T)],
}

/// A method that a table can hold. `HEAD` is a `GET` whose body is left out, so it is no entry of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GET, and HEAD.
    Get,
    /// PUT.
    Put,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

impl Verb {
    /// As `Allow` and the request line spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }

    fn of(method: &Method) -> Option<Verb> {
        match *method {
            Method::GET | Method::HEAD => Some(Verb::Get),
            Method::PUT => Some(Verb::Put),
            Method::POST => Some(Verb::Post),
            Method::DELETE => Some(Verb::Delete),
            _ => None,
        }
    }
}

/// A route that matched, with the raw text of its parameters.
#[derive(Debug)]
pub struct Found<'p, T: 'static> {
    /// The route.
    pub route: &'static Route<T>,
    /// The raw text of each parameter, in the order of the template.
    pub parameters: [&'p str; MAX_PARAMETERS],
}

/// The first route whose template fits the raw path.
pub fn find<'p, T>(routes: &'static [Route<T>], path: &'p str) -> Option<Found<'p, T>> {
    routes.iter().find_map(|route| route.capture(path).map(|parameters| Found { route, parameters }))
}

/// Method and template of everything that can be done, for whoever has to know all of it.
pub fn listed<T>(routes: &'static [Route<T>]) -> impl Iterator<Item = (&'static str, &'static str)> {
    routes.iter().flat_map(|route| route.operations.iter().map(|(verb, _)| (verb.as_str(), route.template)))
}

impl<T> Route<T> {
    /// What `method` does here.
    pub fn operation(&self, method: &Method) -> Option<&'static T> {
        let verb = Verb::of(method)?;
        self.operations.iter().find_map(|(found, operation)| (*found == verb).then_some(operation))
    }

    /// The value of the `Allow` header.
    pub fn allow(&self) -> String {
        let names = self.operations.iter().map(|(verb, _)| match verb {
            Verb::Get => "GET, HEAD",
            other => other.as_str(),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// The names of the parameters, in the order of the template.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
    }

    fn capture<'p>(&self, mut path: &'p str) -> Option<[&'p str; MAX_PARAMETERS]> {
        let (mut parameters, mut template) = ([""; MAX_PARAMETERS], self.template);
        for parameter in &mut parameters {
            let Some(brace) = memchr(b'{', template.as_bytes()) else { break };
            path = path.strip_prefix(&template[..brace])?;
            template = &template[memchr(b'}', template.as_bytes())? + 1..];
            let takes_all = self.rest && template.is_empty();
            let slash = if takes_all { None } else { memchr(b'/', path.as_bytes()) };
            let end = slash.unwrap_or(path.len());
            (*parameter, path) = path.split_at(end);
        }
        (template == path).then_some(parameters)
    }
}

#[cfg(test)]
mod tests;
