//! JSONata 2.0.6 as AWS Step Functions runs it, under a budget of steps and bytes.
