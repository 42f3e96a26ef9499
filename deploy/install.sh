#!/bin/sh
# Installs the dashboard into /opt/vggexplorer, with a user of its own and a folder for runs, and leaves nothing else
# behind. The image (Dockerfile) and scripts/try_image.py do this and no more:
#
#   sh deploy/install.sh CLONE [EXTRA]
#
# CLONE is a copy of this repository; EXTRA is one of pyproject.toml, such as train. With TORCH_WHEELS in the environment,
# PyTorch comes from there. It runs as root, where there are python3 (3.11 or newer) and its venv.
set -eu
clone=$1
extra=${2:-}
home=/opt/vggexplorer

python3 -m venv "$home"
pip() { "$home/bin/python" -m pip install --no-cache-dir -c "$clone/constraints.txt" "$@"; }
if [ -n "${TORCH_WHEELS:-}" ]; then
    pip --index-url "$TORCH_WHEELS" torch torchvision
fi
pip "$clone${extra:+[$extra]}"
for package in numpy pandas pyarrow; do # their own tests are a tenth of everything
    find "$home"/lib/python3*/site-packages/"$package" -type d -name tests -prune -exec rm -r {} +
done
cp "$clone/deploy/healthy.py" "$home/healthy.py"

useradd --create-home --uid 1000 vggexplorer
mkdir /runs
chown vggexplorer /runs
