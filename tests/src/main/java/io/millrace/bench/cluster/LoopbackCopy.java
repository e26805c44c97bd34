package io.millrace.bench.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A plain copy of blocks over TCP on the loopback interface: from memory to memory, one thread on each side. */
final class LoopbackCopy {
    private static final long LIMIT_SECONDS = 120;

    private LoopbackCopy() {}

    /** Bytes a second of so many blocks of a size. */
    static double bytesPerSecond(int blocks, int blockBytes) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            FutureTask<Long> received = start(() -> receive(server, blocks, blockBytes));
            long beginNanos = System.nanoTime();
            try (SocketChannel client = SocketChannel.open(server.getLocalAddress())) {
                ByteBuffer block = ByteBuffer.allocateDirect(blockBytes);
                for (int sent = 0; sent < blocks; sent++) {
                    block.clear();
                    while (block.hasRemaining()) {
                        client.write(block);
                    }
                }
            }
            long endNanos = received.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return (double) blocks * blockBytes * 1e9 / (endNanos - beginNanos);
        }
    }

    private static long receive(ServerSocketChannel server, int blocks, int blockBytes) throws IOException {
        try (SocketChannel from = server.accept()) {
            ByteBuffer block = ByteBuffer.allocateDirect(blockBytes);
            for (int taken = 0; taken < blocks; taken++) {
                block.clear();
                while (block.hasRemaining()) {
                    if (from.read(block) < 0) {
                        throw new IOException("the copy ended after " + taken + " blocks");
                    }
                }
            }
            return System.nanoTime();
        }
    }

    private static FutureTask<Long> start(Callable<Long> receiver) {
        FutureTask<Long> task = new FutureTask<>(receiver);
        Thread thread = new Thread(task, "bench-loopback-copy");
        thread.setDaemon(true);
        thread.start();
        return task;
    }
}
