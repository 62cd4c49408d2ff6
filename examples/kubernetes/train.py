"""A script for several workers: each reads its own part of a folder that `d2l.encode` wrote.

python -m d2lrec.launch --workers 2 --servers 2 examples/kubernetes/train.py FOLDER CHECKPOINT
"""

import os
import sys

import d2lrec as d2l


def main(folder: str, checkpoint: str) -> None:
    workers = int(os.environ['DMLC_NUM_WORKER'])
    # On one machine, or by ssh, the number below is not set: then every worker has all rows, and
    # takes its share of each batch. Kubernetes numbers the workers of an indexed job.
    number = os.environ.get('JOB_COMPLETION_INDEX')
    part = None if number is None else (int(number), workers)
    train = d2l.open_encoded(folder, part=part)
    net = d2l.FM(train.field_dims, num_factors=8)
    history = d2l.fit(
        net,
        train,
        lr=0.002,
        batch_size=1024,
        num_epochs=3,
        checkpoint=checkpoint,
        kvstore='dist_sync',
    )
    print('mean loss of the last epoch:', round(history['train_loss'][-1], 4))
    if number in (None, '0'):
        d2l.save(checkpoint + '.model', net, train.encoder)


if __name__ == '__main__':
    main(*sys.argv[1:])
