FROM continuumio/miniconda3
WORKDIR /app
COPY environment.yml ./
RUN --mount=type=cache,target=/opt/conda/pkgs,sharing=locked conda env create -f environment.yml
COPY . .
CMD ["conda", "run", "-n", "app", "python", "app.py"]
