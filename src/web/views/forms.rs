//! What is wrong with a form, said above it and under each field.

/// The errors of one form, in the order of its fields.
#[derive(Clone, Default)]
pub struct FormErrors {
    /// Each error once.
    pub messages: Vec<FormError>,
}

/// One error.
#[derive(Clone)]
pub struct FormError {
    /// The field's short name, as `expires_at`; empty if it is about the form as a whole.
    pub field: String,
    /// What is wrong and how to put it right.
    pub text: String,
}

impl FormErrors {
    /// Nothing is wrong.
    pub const fn none() -> Self {
        Self {
            messages: Vec::new(),
        }
    }

    /// One error about the form as a whole.
    pub fn about_form(text: impl Into<String>) -> Self {
        let mut errors = Self::none();
        errors.add("", text);
        errors
    }

    /// Adds an error to a field.
    pub fn add(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.messages.push(FormError {
            field: field.into(),
            text: text.into(),
        });
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether something is wrong with a field.
    pub fn has(&self, field: &str) -> bool {
        self.messages.iter().any(|error| error.field == field)
    }

    /// What is wrong with a field.
    pub fn on(&self, field: &str) -> Vec<&str> {
        self.messages
            .iter()
            .filter(|error| error.field == field)
            .map(|error| error.text.as_str())
            .collect()
    }

    /// The heading of the list.
    pub const fn heading(&self) -> &'static str {
        if self.messages.len() == 1 {
            "The form contains the following error:"
        } else {
            "The form contains the following errors:"
        }
    }
}
