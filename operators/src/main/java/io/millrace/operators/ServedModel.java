package io.millrace.operators;

/** A model as a job uses it: its engine and its text side. Travels with the job graph. */
public interface ServedModel extends EngineSource, ModelText.Source {}
