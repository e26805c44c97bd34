package io.millrace.operators;

/** A model as a job uses it: its engine and its text side. Travels with the job graph. */
public interface ServedModel extends EngineSource, ModelText.Source {
    /** This model with an engine of its own for a role, in whatever process that is. */
    ServedModel inRole(EngineRole role);
}
