//! Plans of the provider kind.
