"""FTRL that can begin from weights other than 0."""

import mxnet as mx

__all__ = ['FTRL']


class FTRL(mx.optimizer.Ftrl):
    """FTRL-Proximal with L1, as MXNet's `ftrl`, but started from the weights as they are.

    McMahan et al., Ad Click Prediction: a View from the Trenches, KDD 2013, algorithm 1.
    FTRL keeps a sum z for each weight and computes the weight from it. MXNet starts z at 0, so
    that the first step sets every weight that it did not move to 0: after a warm start all would
    be forgotten. Here z starts where it yields the weight; for a weight of 0 that is 0.

    Parameters: `learning_rate` (the paper's α), `beta` (β), `lamda1` (λ₁), `wd` (λ₂).
    """

    def create_state(self, index, weight):
        z, n = super().create_state(index, weight)
        weight = weight.as_nd_ndarray() if hasattr(weight, 'as_nd_ndarray') else weight
        slope = self.beta / self._get_lr(index) + self._get_wd(index)
        z[:] = -slope * weight - self.lamda1 * mx.nd.sign(weight)
        return z, n
