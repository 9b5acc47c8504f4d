# RingMQ from the checkout in $RINGMQ, as a target of the comparer: name server and broker as two processes, like Java's.
cat >namesrv.properties <<END
listenPort=$NAMESRV_PORT
bindAddress=127.0.0.1
kvConfigPath=$PWD/namesrv/kvConfig.json
END
cat >broker.properties <<END
brokerName=bench
brokerIP1=127.0.0.1
bindAddress=127.0.0.1
listenPort=$PORT
namesrvAddr=127.0.0.1:$NAMESRV_PORT
storePathRootDir=$PWD/store
flushDiskType=$FLUSH
threadingMode=${THREADING_MODE:-auto}
END
node "$RINGMQ/bin/mqnamesrv" -c namesrv.properties &
node "$RINGMQ/bin/mqbroker" -c broker.properties &
wait
