"""Biased matrix factorization."""

from mxnet import init

from ..layers import Embedding, SumOver
from .base import PairModel

__all__ = ['MF']


class MF(PairModel):
    """Biased matrix factorization: users (B,), items (B,) -> ratings (B,).

    rating = μ + b_u + b_i + <p_u, q_i>

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems, Computer
    42(8), 2009, equation (4). μ is the mean of the training ratings and is not trained; the
    biases start at 0. `net.P.weight` (U, K), `net.Q.weight` (I, K), `net.user_bias` (U, 1),
    `net.item_bias` (I, 1).

    Parameters
    ----------
    num_factors : int
        K, the length of each user's and each item's vector.
    num_users, num_items : int
        U and I.
    mean : float
        μ, in rating units: `mean=ratings.mean()` of the training part.
    """

    output = 'rating'

    def __init__(self, num_factors, num_users, num_items, mean=0.0, **kwargs):
        super().__init__(num_users, num_items, **kwargs)
        with self.name_scope():
            self.P = Embedding(num_users, num_factors)
            self.Q = Embedding(num_items, num_factors)
            self.sum = SumOver(num_factors)
            self.user_bias = self.params.get('user_bias', shape=(num_users, 1), init=init.Zero())
            self.item_bias = self.params.get('item_bias', shape=(num_items, 1), init=init.Zero())
            self.mean = self.params.get(
                'mean', shape=(1,), init=init.Constant(float(mean)), grad_req='null'
            )

    def hybrid_forward(self, F, users, items, user_bias, item_bias, mean):
        b_u = F.npx.embedding(users, user_bias, input_dim=self.num_users, output_dim=1)
        b_i = F.npx.embedding(items, item_bias, input_dim=self.num_items, output_dim=1)
        pq = self.sum(self.P(users) * self.Q(items))  # (B, 1)
        return F.npx.reshape(mean + b_u + b_i + pq, (-1,))
