//! What the functions offer and what they need, with the laws of each port as tests.
