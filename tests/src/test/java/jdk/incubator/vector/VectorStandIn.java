package jdk.incubator.vector;

/** Stands in for a class of the Vector API, whose module this one does not compile with. */
public final class VectorStandIn {}
