"""How pip brings what the models need: one line, wherever it is missed."""

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""PyTorch's CPU builds: the wheel on PyPI brings gigabytes of CUDA."""

INSTALL_MODELS = f"pip install 'pytest-xeonperf[models]' --extra-index-url {CPU_WHEELS}"
