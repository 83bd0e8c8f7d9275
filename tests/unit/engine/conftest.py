"""One thread, as every training program has: two would wait for each other where tests run side by side."""

import torch

torch.set_num_threads(1)
