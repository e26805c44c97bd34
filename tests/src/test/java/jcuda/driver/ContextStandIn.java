package jcuda.driver;

/** Stands in for a class of JCuda, which is not on this module's class path. */
public final class ContextStandIn {}
